import Foundation
import SagamoreProgramTestSupport
import Synchronization
import Testing

@testable import Sagamore

/// Our workers and clients on our real server.
@Suite(.timeLimit(.minutes(3)))
struct WorkerTests {
    private static let loud = shout.implemented { text in text.uppercased() }
    private static let quiet = whisper.implemented { text in text.lowercased() + "." }

    @Test func runsAWorkflowToItsResult() async throws {
        try await withWorker { queue in
            Greeting.registered(on: queue)
            Self.loud
            Self.quiet
        } _: { client, queue, _ in
            let handle = try await client.start(Greeting.self, "Ada", queue: queue)
            #expect(try await handle.result() == "ada.")
            let description = try await handle.describe()
            #expect(description.status == .completed)
            #expect(description.type == "Greeting" && description.taskQueue == queue)
        }
    }

    @Test func manyRunsAtATime() async throws {
        try await withWorker { queue in
            Greeting.registered(on: queue)
            Self.loud
            Self.quiet
        } _: { client, queue, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<150 {
                    group.addTask {
                        let handle = try await client.start(Greeting.self, "N\(number)", queue: queue)
                        #expect(try await handle.result() == "n\(number).")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// A poll holds a slot. With few slots, polls for new runs and for cached ones must not block each other.
    @Test(arguments: [1, 2, 3])
    func fewSlotsMakeNobodyWaitInVain(_ slots: Int) async throws {
        var options = WorkerOptions()
        options.maximumConcurrentWorkflowTasks = slots
        let started = ContinuousClock.now
        try await withWorker(options) { queue in
            Greeting.registered(on: queue)
            Ticking.registered(on: queue)
            Self.loud
            Self.quiet
        } _: { client, queue, _ in
            for number in 0..<4 {
                let ticking = try await client.start(Ticking.self, 2, queue: queue)
                let greeting = try await client.start(Greeting.self, "N\(number)", queue: queue)
                #expect(try await greeting.result() == "n\(number).")
                #expect(try await ticking.result() == 2)
            }
        }
        // An empty poll takes a minute: somebody would wait for that long.
        #expect(ContinuousClock.now - started < .seconds(50))
    }

    @Test func pollersLeaveRoomForEachOther() {
        var options = WorkerOptions()
        #expect(options.pollersThatFit == (4, 8))
        for (slots, expected) in [(1, (1, 0)), (2, (1, 1)), (3, (2, 1)), (8, (4, 4)), (12, (4, 6))] {
            options.maximumConcurrentWorkflowTasks = slots
            #expect(options.pollersThatFit == expected)
        }
        options.maximumCachedRuns = 0
        #expect(options.pollersThatFit == (4, 0))
    }

    /// Evicted runs are rebuilt from their histories.
    @Test(arguments: [0, 1, 3])
    func aSmallCacheChangesNothing(_ size: Int) async throws {
        var options = WorkerOptions()
        options.maximumCachedRuns = size
        try await withWorker(options) { queue in
            Greeting.registered(on: queue)
            Collecting.registered(on: queue)
            Ticking.registered(on: queue)
            Self.loud
            Self.quiet
        } _: { client, queue, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let ticking = try await client.start(Ticking.self, 5, queue: queue)
                        let collecting = try await client.start(Collecting.self, Nothing(), queue: queue)
                        for name in ["a", "b", "c"] { try await collecting.signal(Collecting.add, name + "\(number)") }
                        #expect(try await ticking.result() == 5)
                        try await collecting.signal(Collecting.close, Nothing())
                        #expect(try await collecting.result() == ["A\(number)", "B\(number)", "C\(number)"])
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func queriesSeeAllEarlierSignals() async throws {
        try await withWorker { queue in
            Collecting.registered(on: queue)
            Self.loud
        } _: { client, queue, _ in
            let handle = try await client.start(Collecting.self, Nothing(), queue: queue)
            try await handle.signal(Collecting.add, "one")
            try await eventually("the activity is done") { try await handle.query(Collecting.list) == ["ONE"] }
            try await handle.signal(Collecting.close, Nothing())
            #expect(try await handle.result() == ["ONE"])
            // The run has ended, so it is rebuilt.
            #expect(try await handle.query(Collecting.list) == ["ONE"])
            let error = await #expect(throws: ClientError.self) {
                _ = try await handle.query(Query<Nothing, Int>("size"))
            }
            #expect(error?.code == .queryFailed)
            #expect(error?.message.contains("'size'; known queries: list") == true, "\(error as Any)")
        }
    }

    @Test func anUnknownSignalWaitsForItsHandler() async throws {
        try await withWorker { queue in
            Collecting.registered(on: queue)
            Self.loud
        } _: { client, queue, _ in
            let handle = try await client.start(Collecting.self, Nothing(), queue: queue)
            try await handle.signal(Signal<String>("nobody"), "x")
            try await handle.signal(Collecting.close, Nothing())
            #expect(try await handle.result() == [])
        }
    }

    @Test func aWorkflowIsCancelledAndTerminated() async throws {
        try await withWorker { queue in
            Collecting.registered(on: queue)
        } _: { client, queue, _ in
            let cancelled = try await client.start(Collecting.self, Nothing(), queue: queue)
            try await cancelled.cancel(reason: "enough")
            let first = await #expect(throws: WorkflowFailedError.self) { try await cancelled.result() }
            #expect(first?.way == .canceled)
            let terminated = try await client.start(Collecting.self, Nothing(), queue: queue)
            try await terminated.terminate(reason: "enough")
            let second = await #expect(throws: WorkflowFailedError.self) { try await terminated.result() }
            #expect(second?.way == .terminated)
        }
    }

    /// A run moves to another worker when the one that had it in memory stops.
    @Test func anotherWorkerGoesOn() async throws {
        try await withWorker { queue in
            Collecting.registered(on: queue)
            Self.loud
        } _: { client, queue, first in
            let handle = try await client.start(Collecting.self, Nothing(), queue: queue)
            try await handle.signal(Collecting.add, "one")
            try await eventually("the activity is done") { try await handle.query(Collecting.list) == ["ONE"] }
            try await first.stop()
            let second = RunningWorker(client, queue, [Collecting.registered(on: queue), Self.loud])
            try await handle.signal(Collecting.add, "two")
            try await handle.signal(Collecting.close, Nothing())
            #expect(try await handle.result() == ["ONE", "TWO"])
            try await second.stop()
        }
    }

    @Test func aWorkerSurvivesItsServer() async throws {
        let folder = try TemporaryFolder()
        let server = try await blocking { try DevProgram(dataFolder: folder.path, options: []) }
        let port = try #require(try server.address().split(separator: ":").last)
        try await withWorker(server: server) { queue in
            Collecting.registered(on: queue)
            Self.loud
        } _: { client, queue, _ in
            let handle = try await client.start(Collecting.self, Nothing(), queue: queue)
            try await handle.signal(Collecting.add, "one")
            try await eventually("the activity is done") { try await handle.query(Collecting.list) == ["ONE"] }
            let next = try await blocking {
                server.program.signal(SIGKILL)
                server.program.status()
                let next = try RunningProgram(["dev", "--port", String(port), "--data-dir", folder.path])
                try next.wait(until: { next.output.contains("Ctrl-C stops everything.\n") })
                return next
            }
            defer { next.signal(SIGINT) }
            try await eventually("a signal arrives") {
                do {
                    try await handle.signal(Collecting.add, "two")
                    return true
                } catch let error as ClientError where error.code == .unavailable {
                    return false
                }
            }
            try await handle.signal(Collecting.close, Nothing())
            #expect(try await handle.result() == ["ONE", "TWO"])
        }
    }

    // MARK: Invalid workers

    @Test func registrationsAreChecked() async throws {
        let client = try await connect()
        func error(_ queue: String, @RegistrationBuilder _ content: () -> [Registration]) async -> WorkerError? {
            let worker = Worker(client, taskQueue: queue, content)
            return await #expect(throws: WorkerError.self) { try await worker.run() }
        }
        let none = await error("q") {}
        #expect(none?.message.hasPrefix("the worker for 'q' has no registrations") == true)
        let twice = await error("q") {
            Self.loud
            Self.loud
        }
        #expect(twice?.message == "'shout' is registered twice: names must differ")
        let other = await error("q") { Greeting.registered }
        #expect(other?.message == "workflow 'Greeting' belongs to task queue 'any', and this worker serves 'q'")
        #expect([twice?.code, other?.code] == [.badRegistration, .badRegistration])
        await close(client)
    }

    @Test func anUnknownNamespaceIsToldAtOnce() async throws {
        let known = try await connect()
        let client = try await Client.connect(
            ClientOptions(address: known.options.address, namespace: "no-such-namespace")
        )
        let worker = Worker(client, taskQueue: "q") { Self.loud }
        let error = await #expect(throws: WorkerError.self) { try await worker.run() }
        #expect(error?.code == .unknownNamespace)
        #expect(error?.message.contains("no-such-namespace") == true)
        await close(client)
        await close(known)
    }

    @Test func unknownTypesAreToldAndOthersGoOn() async throws {
        try await withWorker { queue in
            OneActivity.registered(on: queue)
            Self.loud
        } _: { client, queue, _ in
            let stranger = try await client.start(Greeting.self, "Ada", queue: queue)
            try await eventually("the task fails") {
                try await failedTask(client, stranger.id)?.contains(
                    "workflow 'Greeting' is not registered with this worker; registered: OneActivity"
                ) == true
            }
            let handle = try await client.start(OneActivity.self, .init(name: "sing", attempts: 2), queue: queue)
            let ended = await #expect(throws: WorkflowFailedError.self) { try await handle.result() }
            let cause = try #require((ended?.cause as? ActivityError)?.cause as? ApplicationError)
            #expect(cause.message == "activity 'sing' is not registered with this worker; registered: shout")
        }
    }
}
