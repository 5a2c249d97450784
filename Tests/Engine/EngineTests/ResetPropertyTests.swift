import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

/// Resets of random runs, to each point that there is. `SAGAMORE_ENGINE_SEED` repeats the sequence that a failure
/// names.
@Suite struct ResetPropertyTests {
    @Test func theStateOfAResetIsWhatItsJournalSays() throws {
        let environment = ProcessInfo.processInfo.environment
        let repeated = environment["SAGAMORE_ENGINE_SEED"].flatMap(UInt64.init)
        let first = repeated ?? UInt64.random(in: 0 ... .max)
        print("reset property test: sequences from seed \(first)")
        var seen: Set<String> = []
        for index in 0..<(repeated == nil ? 200 : 1) {
            let world = World(seed: first &+ UInt64(index))
            try world.run(steps: 40)
            let last = world.execution.durable.lastEventID
            for eventID in 2...max(2, last) where eventID <= last {
                try check(world, at: eventID, &seen)
            }
        }
        guard repeated == nil else { return }
        let expected: Set = [
            "started before", "started by the reset", "scheduled by the reset", "signals again", "activities anew",
            "timers", "fact", "refused", "completed tasks", "cancel request", "updates again",
        ]
        #expect(seen.isSuperset(of: expected), "never happened: \(expected.subtracting(seen))")
    }

    private func check(_ world: World, at eventID: Int64, _ seen: inout Set<String>) throws {
        let request = try Samples.reset(at: eventID)
        let now = Samples.noon + .seconds(100_000)
        let run: ResetRun
        do {
            run = try ResetRun(of: world.entries, at: eventID, request, now: now)
        } catch let error as RequestError {
            #expect(error.code == .invalidArgument)
            seen.insert("refused")
            return
        }
        let name: Comment = "seed \(world.seed), event \(eventID)"
        var row = JournalRow()
        for entry in run.entries {
            switch entry {
            case .event(let recorded): row.events += recorded.frame
            case .fact(let recorded): row.facts += recorded.frame
            case .volatile: Issue.record("a reset made a volatile change")
            }
        }
        var rebuilt = SagamoreEngine.Execution(key: Samples.key, runID: ResetRun.runID)
        for entry in try row.entries() { try rebuilt.applyValidated(entry) }
        #expect(rebuilt.durable == run.execution.durable, name)
        rebuilt.rebuildDeadlines()
        #expect(rebuilt.nextDeadline == run.execution.nextDeadline, name)
        let state = DurableStateCoding.encode(rebuilt.durable)
        #expect(try DurableStateCoding.decode(state, format: DurableStateCoding.format) == rebuilt.durable, name)
        let broken = HistoryRules.violations(in: run.history)
        #expect(broken.isEmpty, "\(name): \(broken)")
        #expect(Set(run.execution.dueTasks().map { "\($0)" }) == Set(run.decision.offers.map { "\($0)" }), name)
        note(run, at: eventID, &seen)
    }

    private func note(_ run: ResetRun, at eventID: Int64, _ seen: inout Set<String>) {
        let added = run.history.drop { $0.eventID < eventID }.map(\.eventType)
        switch added.first {
        case .workflowTaskFailed?: seen.insert("started before")
        case .workflowTaskStarted?: seen.insert("started by the reset")
        case .workflowTaskScheduled?: seen.insert("scheduled by the reset")
        default: Issue.record("a reset began with \(added)")
        }
        let state = run.execution.durable
        if added.contains(.workflowExecutionSignaled) { seen.insert("signals again") }
        if added.contains(.workflowExecutionUpdateAdmitted) { seen.insert("updates again") }
        if !state.activities.isEmpty { seen.insert("activities anew") }
        if !state.timers.isEmpty { seen.insert("timers") }
        if state.previousStartedEventID > 0 { seen.insert("completed tasks") }
        if state.cancelRequested { seen.insert("cancel request") }
        for case .fact(let recorded) in run.decision.entries where recorded.fact.kind == "runReset" {
            seen.insert("fact")
        }
    }
}
