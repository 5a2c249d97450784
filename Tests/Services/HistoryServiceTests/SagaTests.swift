import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Random commands, workers, broken connections, kills and clock jumps, through the whole service.
    ///
    /// `SAGAMORE_HISTORY_SEED` repeats a seed, as far as threads allow. `SAGAMORE_HISTORY_STEPS` sets the number of
    /// steps.
    @Suite struct Sagas {
        @Test func nothingIsLostAndNothingHappensTwice() throws {
            let environment = ProcessInfo.processInfo.environment
            let seed = environment["SAGAMORE_HISTORY_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0 ... .max)
            let steps = environment["SAGAMORE_HISTORY_STEPS"].flatMap(Int.init) ?? 500
            print("saga test: seed \(seed)")
            let agency = try Agency(seed: seed)
            for _ in 0..<steps { try agency.step() }
            try agency.finish()
            try agency.check()
            agency.node.stop()
            print("saga test: \(agency.summary)")
        }
    }
}

/// Clients, workers and faults around one service.
private final class Agency {
    let database: TestDatabase
    let clock = TestClock()
    private(set) var node: Node
    private let seed: UInt64
    private var random: SeededGenerator
    private var runs: [String] = []
    private var closed: Set<String> = []
    private var offset: Int64 = 0
    private var commands: [() throws -> IncomingCommand] = []
    /// Signals that were acknowledged, by run, in order.
    private var signals: [String: [String]] = [:]
    /// Attempts whose end was acknowledged. No worker may get one of them again.
    private var ended: Set<String> = []
    private var kills = 0
    private var cuts = 0
    private var parked = 0

    var summary: String {
        "\(runs.count) runs, \(signals.values.reduce(0) { $0 + $1.count }) signals, \(ended.count) attempts, "
            + "\(kills) kills, \(cuts) cuts, \(parked) times a run was out of memory"
    }

    init(seed: UInt64) throws {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        database = try TestDatabase(shards: 2)
        node = Node(database, clock: clock)
        node = try next()
    }

    private func next() throws -> Node {
        try Node(database, clock: clock) { configuration in
            configuration.parkAfter = .milliseconds(5)
            configuration.alarmHorizon = .milliseconds(100)
        }.started()
    }

    func step() throws {
        // A requested cut happens at one of the next commits.
        if random.once(in: 12) {
            let kinds = [Faults.Cut.before, .unknownAndAbsent, .unknownAndThere]
            node.faults.cut(try #require(kinds.randomElement(using: &random)))
            cuts += 1
        }
        switch Int.random(in: 0..<20, using: &random) {
        case 0, 1: try start()
        case 2...5: try signal()
        case 6...11: try work()
        case 12...15: try act()
        case 16: if let command = commands.randomElement(using: &random) { try again(command) }
        case 17: clock.jump(Interval.milliseconds(Int64.random(in: 1...6_000, using: &random)))
        case 18: if random.once(in: 5) { clock.jump(.seconds(11)) } else { usleep(3_000) }
        default:
            guard random.once(in: 5) else {
                usleep(UInt32.random(in: 0..<30_000, using: &random))
                return
            }
            node.kill()
            node = try next()
            kills += 1
        }
    }

    /// Repeats a call for as long as the service answers UNAVAILABLE.
    private func retrying<Success>(_ body: () throws -> Call<Success>) throws -> Success {
        while true {
            do {
                return try body().get()
            } catch let error as RequestError where error.code == .unavailable {
                usleep(2_000)
            }
        }
    }

    private func start() throws {
        guard runs.count - closed.count < 16 else { return }
        let run = "run \(runs.count)"
        offset += 1
        let place = offset
        let command = { [self] in try node.startCommand(run, "start", offset: place) }
        // The command may be carried out and still be repeated.
        #expect(try retrying { node.submit(try command()) } != .rejected)
        runs.append(run)
        commands.append(command)
    }

    private func again(_ command: () throws -> IncomingCommand) throws {
        #expect(try retrying { node.submit(try command()) } == .duplicate, "seed \(seed)")
    }

    private func signal() throws {
        guard let run = runs.filter({ !closed.contains($0) }).randomElement(using: &random) else { return }
        if !node.isCached(run) { parked += 1 }
        let name = "signal \(signals[run, default: []].count)"
        if random.once(in: 2) {
            offset += 1
            let place = offset
            let command = { [self] in try node.signalCommand(run, name, offset: place) }
            #expect(try retrying { node.submit(try command()) } != .rejected, "seed \(seed)")
            commands.append(command)
        } else {
            do {
                _ = try retrying { try node.signal(run, name, requestID: name) }
            } catch let error as RequestError where error.code == .resourceExhausted {
                // The run refuses signals while a worker retries to close it.
                return
            }
            if random.once(in: 3) { _ = try retrying { try node.signal(run, name, requestID: name) } }
        }
        signals[run, default: []].append(name)
    }

    private func work() throws {
        guard let task = try unlessAway({ try node.workflowTaskIfDue() }) else { return }
        if random.once(in: 12) { return }
        var wanted: [Command] = []
        for number in 0..<Int.random(in: 0...3, using: &random) {
            let id = "\(task.delivery.task.startedEventID)-\(number)"
            if random.once(in: 3) {
                wanted.append(Samples.startTimer(id, .milliseconds(Int64.random(in: 1...4_000, using: &random))))
            } else {
                let isEager = random.once(in: 3)
                wanted.append(
                    Samples.schedule(id) { attributes in
                        attributes.startToCloseTimeout = Interval.seconds(5).duration
                        attributes.requestEagerExecution = isEager
                    }
                )
            }
        }
        let ends = random.once(in: 10)
        try complete(task, wanted + (ends ? [Samples.complete()] : []), closing: ends)
    }

    private func complete(_ task: AssignedWorkflowTask, _ wanted: [Command], closing: Bool) throws {
        let sticky = random.once(in: 3) ? "mine" : ""
        do {
            let answer = try retrying { try node.complete(task, sticky: sticky, wanted) }
            if closing { closed.insert(task.key.workflowID) }
            for activity in answer.eagerActivities { try act(on: activity) }
        } catch let error as RequestError where error.code == .notFound {
            // The task has timed out, or its owner is gone.
            _ = error
        } catch let error as RequestError where closing && error.message == "UnhandledCommand" {
            // A timer fired or an attempt timed out meanwhile. The task failed and is offered again with the new
            // events.
        }
    }

    private func act() throws {
        guard let task = try unlessAway({ try node.activityTaskIfDue() }) else { return }
        try act(on: task)
    }

    private func act(on task: AssignedActivityTask) throws {
        let attempt =
            "\(task.key.workflowID)/\(task.runID)/\(task.delivery.activity.scheduledEventID)/"
            + "\(task.delivery.activity.attempt)"
        #expect(!ended.contains(attempt), "\(attempt) was given again after its end, seed \(seed)")
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return
        case 1: node.history.returnActivity(try node.activityToken(task))
        default:
            let fails = random.once(in: 4)
            do {
                try retrying { fails ? try node.fail(task) : try node.complete(task) }
                ended.insert(attempt)
            } catch let error as RequestError where error.code == .notFound {
                _ = error
            }
        }
    }

    /// A poll may fail while the database is away.
    private func unlessAway<Task>(_ poll: () throws -> Task?) throws -> Task? {
        do {
            return try poll()
        } catch let error as RequestError where error.code == .unavailable {
            return nil
        }
    }

    /// Closes every run.
    func finish() throws {
        let deadline = ContinuousClock.now + .seconds(60)
        var isOpen = true
        while isOpen {
            if ContinuousClock.now > deadline {
                let stuck = try open()
                try #require(stuck.isEmpty, "runs are stuck, seed \(seed)")
            }
            if let task = try unlessAway({ try node.workflowTaskIfDue() }) {
                try complete(task, [Samples.complete()], closing: true)
                continue
            }
            // A signal or a timer makes the remaining tasks due.
            isOpen = false
            for run in runs where !closed.contains(run) {
                isOpen = true
                do {
                    _ = try retrying { try node.signal(run, "last", requestID: "last") }
                } catch let error as RequestError where error.code == .notFound {
                    closed.insert(run)
                }
            }
            if isOpen { clock.jump(.seconds(3)) }
        }
    }

    private func open() throws -> [String] {
        try runs.filter { !closed.contains($0) }.map { "\($0): \(try node.outline($0).suffix(8))" }
    }

    func check() throws {
        let loader = PostgresLoaderStore(try PostgresConnection(database.url, applicationName: "test"))
        var expected: [String] = []
        for run in runs {
            let events = try node.events(run)
            #expect(HistoryRules.violations(in: events) == [], "\(run), seed \(seed)")
            let seen = try node.signals(run)
            let acknowledged = signals[run, default: []]
            #expect(seen.filter { $0 != "last" } == acknowledged, "\(run), seed \(seed)")
            #expect(seen.count { $0 == "last" } <= 1)
            // The live state equals the one that is rebuilt from the database.
            let row = try #require(try loader.lookUp([LookUp(key: Node.key(run), commandID: "")])[0].run)
            let journal = try #require(try loader.journals([row.runID])[row.runID])
            let entries = try journal.flatMap { try HistoryFrames.entries(events: $0.events, facts: $0.facts) }
            var rebuilt = SagamoreEngine.Execution(key: row.key, runID: row.runID)
            for entry in entries { rebuilt.apply(entry) }
            #expect(JournalReading(entries).differences(from: rebuilt.durable) == [], "\(run), seed \(seed)")
            #expect(rebuilt.durable.status == .completed && row.status == .completed)
            #expect(row.historyLength == events.last?.eventID && row.historyBytes == rebuilt.durable.historyBytes)
            expected += ["\(run) accepted start 1", "\(run) passed start 2"]
        }
        let records = try database.texts(
            "select convert_from(key, 'UTF8') || ' ' || convert_from(value, 'UTF8') from sagamore.outbox"
        )
        #expect(Set(records).count == records.count, "an event stands twice in the outbox, seed \(seed)")
        #expect(records.filter { !$0.contains("delivered") }.sorted() == expected.sorted(), "seed \(seed)")
        #expect(try database.number("select count(*) from sagamore.inbox") == Int64(commands.count))
        #expect(try database.number("select count(*) from sagamore.alarms") == 0)
        try database.checkNumbers()
    }
}
