import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import SagamoreSimulatedTime
import Testing

@testable import SagamoreSimulatedWorkers

@Suite struct InterpreterTests {
    /// The histories of sagas that went through all kinds of faults, as decoded events.
    private static func histories(seed: UInt64) throws -> [[ScriptEvent]] {
        var plan = ClientPlan("client")
        plan.sagas = 100
        let world = SmallWorld(
            seed: seed,
            plan,
            workers: 2,
            faults: WorkerFaults(rate: 0.05),
            network: NetworkFaults(rate: 0.03)
        )
        world.run()
        #expect(world.allViolations == [])
        return try world.service.order.map { try ScriptEvent.decode(world.service.runs[$0]!.history) }
    }

    /// The commands of each workflow task that was completed, when the history is handled as a whole up to it.
    private static func commands(_ events: ArraySlice<ScriptEvent>, from run: inout ScriptRun) throws -> [ScriptCommand]
    {
        try run.handle(Array(events))
        return run.ledger.takeUnsent()
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func historyInPiecesGivesTheSameCommandsAsAWhole(seed: UInt64) throws {
        var compared = 0
        for events in try Self.histories(seed: seed) {
            var sticky = ScriptRun()
            var last = 0
            for index in events.indices.dropLast() {
                guard case .taskStarted = events[index].kind, case .taskCompleted = events[index + 1].kind else {
                    continue
                }
                let pieces = try Self.commands(events[last...index], from: &sticky)
                var fresh = ScriptRun()
                let whole = try Self.commands(events[...index], from: &fresh)
                #expect(pieces == whole)
                #expect(sticky.answer == fresh.answer)
                #expect(sticky.lastStartedEventID == events[index].id)
                last = index + 1
                compared += 1
            }
        }
        #expect(compared > 200)
    }

    @Test func historyWithoutOneOfItsEventsIsRefused() throws {
        var refused = 0
        var all = 0
        for events in try Self.histories(seed: 3) {
            for (index, event) in events.enumerated() where event.isCaused {
                var rest = events
                rest.remove(at: index)
                // The ids stay gapless, so only the code can tell.
                rest = rest.enumerated().map { ScriptEvent(id: Int64($0.offset + 1), kind: $0.element.kind) }
                if index == events.count - 1 { continue }
                all += 1
                var run = ScriptRun()
                do { try run.handle(rest) } catch { refused += 1 }
            }
        }
        #expect(all > 200)
        #expect(refused == all)
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func scriptIsTheSameAfterCoding(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let script = WorkflowScript.random(using: &random)
        #expect(WorkflowScript(bytes: script.bytes) == script)
        #expect(WorkflowScript(input: script.input.data ?? []) == script)
        #expect(WorkflowScript(input: script.json) == script)
        #expect(WorkflowScript(bytes: Array(script.bytes.dropLast())) == nil)
    }

    @Test func stepsAreUndoneInReverseOrder() throws {
        let undone = ActivityStep(ActivityPlan(), undo: ActivityPlan())
        var last = undone
        last.plan.end = .fails
        let script = WorkflowScript(steps: [
            .activity(undone), .parallel([.activity(undone), .timer(.seconds(5))]), .activity(last),
        ])
        var run = ScriptRun()
        var history = TestHistory()
        history.add(.workflowStarted(input: script.bytes))
        #expect(try history.task(&run) == [.schedule(sequence: 1, input(0, undone), isEager: false)])
        history.endActivity(1, .completed)
        #expect(
            try history.task(&run) == [
                .schedule(sequence: 2, input(1, undone), isEager: false), .startTimer(sequence: 3, .seconds(5)),
            ]
        )
        history.add(.timerFired(sequence: 3))
        #expect(try history.task(&run) == [])
        history.endActivity(2, .completed)
        #expect(try history.task(&run) == [.schedule(sequence: 4, input(2, last), isEager: false)])
        history.endActivity(4, .failed)
        for (sequence, ordinal) in [(5, 2), (6, 1), (7, 0)] {
            let undo = ActivityInput(ordinal: ordinal, isUndo: true, plan: ActivityPlan())
            #expect(try history.task(&run) == [.schedule(sequence: sequence, undo, isEager: false)])
            history.endActivity(sequence, .completed)
        }
        #expect(try history.task(&run) == [.close(.failed)])
    }

    @Test func cancellationCancelsWhatRunsAndWaitsForIt() throws {
        let step = ActivityStep(ActivityPlan(), undo: ActivityPlan())
        let script = WorkflowScript(steps: [.parallel([.activity(step), .timer(.seconds(5)), .signal(1)])])
        var run = ScriptRun()
        var history = TestHistory()
        history.add(.workflowStarted(input: script.bytes))
        #expect(try history.task(&run).count == 2)
        history.add(.cancelRequested)
        let scheduled = try #require(history.scheduled[1])
        #expect(try history.task(&run) == [.cancelActivity(scheduledEventID: scheduled), .cancelTimer(sequence: 2)])
        history.endActivity(1, .completed)
        let undo = ActivityInput(ordinal: 0, isUndo: true, plan: ActivityPlan())
        #expect(try history.task(&run) == [.schedule(sequence: 3, undo, isEager: false)])
        history.endActivity(3, .completed)
        #expect(try history.task(&run) == [.close(.canceled)])
    }

    @Test func raceCancelsItsActivityAndIsNoFailure() throws {
        let step = ActivityStep()
        let script = WorkflowScript(steps: [.race(step, .seconds(1))])
        var run = ScriptRun()
        var history = TestHistory()
        history.add(.workflowStarted(input: script.bytes))
        #expect(try history.task(&run).count == 2)
        history.add(.timerFired(sequence: 2))
        let scheduled = try #require(history.scheduled[1])
        #expect(try history.task(&run) == [.cancelActivity(scheduledEventID: scheduled)])
        history.endActivity(1, .canceled)
        #expect(try history.task(&run) == [.close(.completed)])
    }

    @Test func signalBeforeItsStepIsKept() throws {
        let script = WorkflowScript(steps: [.timer(.seconds(1)), .signal(2), .signal(2)])
        var run = ScriptRun()
        var history = TestHistory()
        history.add(.workflowStarted(input: script.bytes))
        history.add(.signaled(name: Array("signal-2".utf8), requestID: []))
        #expect(try history.task(&run) == [.startTimer(sequence: 1, .seconds(1))])
        history.add(.timerFired(sequence: 1))
        #expect(try history.task(&run) == [])
        history.add(.signaled(name: Array("signal-2".utf8), requestID: []))
        #expect(try history.task(&run) == [.close(.completed)])
    }

    private func input(_ ordinal: Int, _ step: ActivityStep) -> ActivityInput {
        ActivityInput(ordinal: ordinal, isUndo: false, plan: step.plan)
    }

    @Test func childIsWaitedForAndEndsOnce() throws {
        let child = WorkflowScript(steps: [.timer(.milliseconds(5))])
        let script = WorkflowScript(steps: [.child(7, child)])
        #expect(WorkflowScript(bytes: script.bytes) == script)
        var run = ScriptRun()
        var history = TestHistory()
        history.add(.workflowStarted(input: script.bytes))
        #expect(try history.task(&run) == [.startChild(sequence: 1, number: 7, child)])
        let id = try #require(history.scheduled[1])
        history.add(.childNews)
        #expect(try history.task(&run) == [])
        history.add(.childEnded(initiatedEventID: id, isCompleted: true))
        #expect(try history.task(&run) == [.close(.completed)])
        history.add(.childEnded(initiatedEventID: id, isCompleted: true))
        #expect(throws: ReplayViolation.self) { try history.task(&run) }
    }

    @Test func childOfACancelledRunIsCancelled() throws {
        let script = WorkflowScript(steps: [.child(7, WorkflowScript())])
        var run = ScriptRun()
        var history = TestHistory()
        history.add(.workflowStarted(input: script.bytes))
        _ = try history.task(&run)
        history.add(.cancelRequested)
        #expect(try history.task(&run) == [.cancelChild(number: 7)])
        history.add(.childEnded(initiatedEventID: try #require(history.scheduled[1]), isCompleted: false))
        #expect(try history.task(&run) == [.close(.canceled)])
    }

    @Test(arguments: [true, false])
    func signalToAChildIsWaitedForWhetherOrNotItArrives(hasArrived: Bool) throws {
        let script = WorkflowScript(steps: [.parallel([.child(7, WorkflowScript()), .tell(7, signal: 2)])])
        #expect(WorkflowScript(bytes: script.bytes) == script)
        var run = ScriptRun()
        var history = TestHistory()
        history.add(.workflowStarted(input: script.bytes))
        let tell = ScriptCommand.tell(sequence: 2, number: 7, signal: 2)
        #expect(try history.task(&run) == [.startChild(sequence: 1, number: 7, WorkflowScript()), tell])
        let (child, signal) = (try #require(history.scheduled[1]), try #require(history.scheduled[2]))
        history.add(.childEnded(initiatedEventID: child, isCompleted: true))
        #expect(try history.task(&run) == [])
        history.add(.signalSettled(initiatedEventID: signal, hasArrived: hasArrived))
        #expect(try history.task(&run) == [.close(.completed)])
        let sent = SentSignals.all(in: history.all)
        #expect(sent == ["child-7": SentSignals(1, hasArrived ? 1 : 0)])
        history.add(.signalSettled(initiatedEventID: signal, hasArrived: hasArrived))
        #expect(throws: ReplayViolation.self) { try history.task(&run) }
    }

    @Test func continuesAsNewWithTheSameSteps() throws {
        let script = WorkflowScript(steps: [.marker(1)], ending: .continues)
        #expect(WorkflowScript(bytes: script.bytes) == script)
        #expect(script.next == WorkflowScript(steps: [.marker(1)]))
        var run = ScriptRun()
        var history = TestHistory()
        history.add(.workflowStarted(input: script.bytes))
        #expect(try history.task(&run) == [.marker(1), .close(.continuedAsNew)])
    }
}

/// A history that grows with the commands of a run.
private struct TestHistory {
    private var events: [ScriptEvent] = []
    /// All events so far.
    private(set) var all: [ScriptEvent] = []
    private var next: Int64 = 1
    /// The ids of ActivityTaskScheduled by the numbers of the activities.
    private(set) var scheduled: [Int: Int64] = [:]

    mutating func add(_ kind: ScriptEvent.Kind) {
        events.append(ScriptEvent(id: next, kind: kind))
        all.append(events[events.count - 1])
        next += 1
    }

    mutating func endActivity(_ sequence: Int, _ end: ScriptEvent.ActivityEnd) {
        add(.activityStarted)
        add(.activityEnded(scheduledEventID: scheduled[sequence] ?? 0, end))
    }

    /// Gives the new events to the run as a workflow task, and adds the events of its commands.
    mutating func task(_ run: inout ScriptRun) throws -> [ScriptCommand] {
        add(.taskScheduled)
        add(.taskStarted)
        try run.handle(events)
        events = []
        let commands = run.ledger.takeUnsent()
        add(.taskCompleted(startedEventID: next - 1))
        for command in commands {
            switch command {
            case .schedule(let sequence, let input, _):
                scheduled[sequence] = next
                add(.activityScheduled(sequence: sequence, input: input.bytes))
            case .cancelActivity(let id): add(.activityCancelRequested(scheduledEventID: id))
            case .startTimer(let sequence, let interval): add(.timerStarted(sequence: sequence, interval))
            case .cancelTimer(let sequence): add(.timerCanceled(sequence: sequence))
            case .startChild(let sequence, let number, let script):
                scheduled[sequence] = next
                let id = Array(WorkflowScript.childID(number).utf8)
                add(.childInitiated(workflowID: id, input: script.bytes))
            case .cancelChild(let number):
                add(.childCancelInitiated(workflowID: Array(WorkflowScript.childID(number).utf8)))
            case .tell(let sequence, let number, let signal):
                scheduled[sequence] = next
                let name = Array(WorkflowScript.signalName(signal).utf8)
                add(.signalInitiated(workflowID: Array(WorkflowScript.childID(number).utf8), name: name))
            case .marker, .memo: break
            case .close(let end): add(.closed(end))
            }
        }
        return commands
    }
}
