import Foundation
import SagamoreThreads
import Synchronization
import Testing

@testable import Sagamore

/// Activities on our real server.
@Suite(.timeLimit(.minutes(3)))
struct ActivityTests {
    @Test func aFailedAttemptIsTriedAgainAndKnowsIt() async throws {
        let notes = Notes()
        try await withWorker { queue in
            OneActivity.registered(on: queue)
            Activity<String, String>("flaky", .startToCloseTimeout(.seconds(1))).implemented { context, text in
                notes.add("\(context.info.attempt) \(context.info.workflowType) \(context.info.taskQueue == queue)")
                if context.info.attempt < 3 { throw ApplicationError("not yet", type: "Busy", isBenign: true) }
                return text + " \(context.info.attempt)"
            }
        } _: { client, queue, _ in
            let handle = try await client.start(OneActivity.self, .init(name: "flaky"), queue: queue)
            #expect(try await handle.result() == "input 3")
            #expect(notes.all == ["1 OneActivity true", "2 OneActivity true", "3 OneActivity true"])
        }
    }

    @Test func whatAnActivityThrowsReachesTheClient() async throws {
        struct Odd: Error, CustomStringConvertible { var description: String { "odd indeed" } }
        try await withWorker { queue in
            OneActivity.registered(on: queue)
            Activity<String, String>("final", .startToCloseTimeout(.seconds(1))).implemented { _ in
                throw ApplicationError("no", type: "Final", isNonRetryable: true, details: try EncodedValues([1, 2]))
            }
            Activity<String, String>("odd", .startToCloseTimeout(.seconds(1))).implemented { _ in throw Odd() }
            Activity<Int, String>("number", .startToCloseTimeout(.seconds(1))).implemented { number in "\(number)" }
            Activity<String, String>("large", .startToCloseTimeout(.seconds(1))).implemented { _ in
                String(repeating: "x", count: 2 * 1024 * 1024 + 1)
            }
        } _: { client, queue, _ in
            func cause(_ name: String) async throws -> ApplicationError {
                let options = OneActivity.Options(name: name, attempts: 2)
                let handle = try await client.start(OneActivity.self, options, queue: queue)
                do {
                    return ApplicationError("it ended with \(try await handle.result())")
                } catch let ended as WorkflowFailedError {
                    guard let cause = (ended.cause as? ActivityError)?.cause as? ApplicationError else { throw ended }
                    return cause
                }
            }
            let final = try await cause("final")
            #expect(final.type == "Final" && final.message == "no" && final.isNonRetryable)
            #expect(try final.details.decode([Int].self) == [1, 2])
            let odd = try await cause("odd")
            #expect(odd.type == "Odd" && odd.message == "odd indeed" && !odd.isNonRetryable)
            let number = try await cause("number")
            #expect(number.type == "InvalidInput" && number.isNonRetryable)
            #expect(number.message.hasPrefix("activity 'number' cannot decode its input: expected Int"), "\(number)")
            let large = try await cause("large")
            #expect(large.type == "PayloadTooLarge")
            #expect(large.message.hasPrefix("the result of activity 'large' has 2097"), "\(large)")
        }
    }

    /// Nobody cancelled the activity: an error about something it cancelled itself is an ordinary failure.
    @Test func aCancellationOfItsOwnIsTriedAgain() async throws {
        try await withWorker { queue in
            OneActivity.registered(on: queue)
            Activity<String, String>("hasty", .startToCloseTimeout(.seconds(1))).implemented { context, _ in
                if context.info.attempt == 1 { throw CancellationError() }
                if context.info.attempt == 2 { throw CanceledError("the call took too long") }
                return "\(context.info.attempt)"
            }
        } _: { client, queue, _ in
            let handle = try await client.start(OneActivity.self, .init(name: "hasty"), queue: queue)
            #expect(try await handle.result() == "3")
            let last = try await client.start(OneActivity.self, .init(name: "hasty", attempts: 2), queue: queue)
            let ended = await #expect(throws: WorkflowFailedError.self) { try await last.result() }
            let cause = (ended?.cause as? ActivityError)?.cause as? ApplicationError
            #expect(ended?.way == .failed && cause?.type == "CanceledError")
        }
    }

    /// User code's cancellation handlers may block. That must not block the network's thread.
    @Test func aCancellationHandlerThatBlocksHoldsUpNobody() async throws {
        let notes = Notes()
        let mayEnd = Monitor(false)
        try await withWorker { queue in
            OneActivity.registered(on: queue)
            Greeting.registered(on: queue)
            shout.implemented { $0.uppercased() }
            whisper.implemented { $0.lowercased() }
            Activity<String, String>("slow_to_end", .startToCloseTimeout(.seconds(1))).implemented { context, _ in
                try await withTaskCancellationHandler {
                    while true {
                        context.heartbeat()
                        try await Task.sleep(for: .milliseconds(20))
                    }
                } onCancel: {
                    notes.add("asked")
                    _ = mayEnd.wait { $0 ? true : nil }
                }
            }
        } _: { client, queue, _ in
            let options = OneActivity.Options(name: "slow_to_end", heartbeatMilliseconds: 2_000)
            let handle = try await client.start(OneActivity.self, options, queue: queue)
            try await eventually("the activity runs") { try await handle.describe().pendingActivities.count == 1 }
            try await handle.cancel()
            try await eventually("its handler runs") { notes.all == ["asked"] }
            let greeting = try await client.start(Greeting.self, "Ada", queue: queue)
            #expect(try await greeting.result() == "ada")
            mayEnd.change { $0 = true }
            _ = await #expect(throws: WorkflowFailedError.self) { try await handle.result() }
        }
    }

    @Test func heartbeatDetailsReachTheNextAttempt() async throws {
        let notes = Notes()
        try await withWorker { queue in
            OneActivity.registered(on: queue)
            Activity<String, String>("steps", .startToCloseTimeout(.seconds(1))).implemented { context, _ in
                if context.info.attempt == 1 {
                    #expect(context.heartbeatDetails.count == 0)
                    try context.heartbeat(41)
                    try context.heartbeat(42)
                    throw ApplicationError("again", isBenign: true)
                }
                notes.add("\(try context.heartbeatDetails.decode(Int.self))")
                return "done"
            }
        } _: { client, queue, _ in
            let options = OneActivity.Options(name: "steps", heartbeatMilliseconds: 5_000)
            let handle = try await client.start(OneActivity.self, options, queue: queue)
            #expect(try await handle.result() == "done")
            #expect(notes.all == ["42"])
        }
    }

    /// A cancelled activity sees it as the cancellation of its task, and ends the workflow as cancelled.
    @Test func cancellationComesWithAHeartbeat() async throws {
        let notes = Notes()
        try await withWorker { queue in
            OneActivity.registered(on: queue)
            Activity<String, String>("patient", .startToCloseTimeout(.seconds(1))).implemented { context, _ in
                notes.add("began")
                while true {
                    context.heartbeat()
                    do {
                        try await Task.sleep(for: .milliseconds(20))
                    } catch {
                        notes.add("cancelled")
                        throw error
                    }
                }
            }
        } _: { client, queue, _ in
            // Long enough for a busy machine, where heartbeats may be late.
            let options = OneActivity.Options(name: "patient", heartbeatMilliseconds: 4_000)
            let handle = try await client.start(OneActivity.self, options, queue: queue)
            try await eventually("the activity runs") { notes.all == ["began"] }
            try await handle.cancel()
            let ended = await #expect(throws: WorkflowFailedError.self) { try await handle.result() }
            #expect(ended?.way == .canceled)
            #expect(notes.all == ["began", "cancelled"])
        }
    }

    /// An attempt that the server has timed out learns of it from its next heartbeat, and sends no response.
    @Test func anAttemptThatTookTooLongIsCancelled() async throws {
        let notes = Notes()
        try await withWorker { queue in
            OneActivity.registered(on: queue)
            Activity<String, String>("slow", .startToCloseTimeout(.seconds(1))).implemented { context, _ in
                guard context.info.attempt == 1 else { return "second" }
                for _ in 0..<3_000 {
                    context.heartbeat()
                    do {
                        try await Task.sleep(for: .milliseconds(10))
                    } catch {
                        notes.add("cancelled")
                        throw error
                    }
                }
                return "first"
            }
        } _: { client, queue, _ in
            let options = OneActivity.Options(name: "slow", heartbeatMilliseconds: 250, startToCloseMilliseconds: 300)
            let handle = try await client.start(OneActivity.self, options, queue: queue)
            #expect(try await handle.result() == "second")
            try await eventually("the first attempt is cancelled") { notes.all == ["cancelled"] }
        }
    }

    /// Activities that block their threads do not block others.
    @Test func activitiesMayBlock() async throws {
        let together = Mutex(0)
        @Sendable func block(_ input: String) -> String {
            together.withLock { $0 += 1 }
            // All twelve must be here at once.
            while together.withLock({ $0 < 12 }) { Thread.sleep(forTimeInterval: 0.005) }
            return "blocked"
        }
        try await withWorker { queue in
            OneActivity.registered(on: queue)
            Activity<String, String>("blocking", .startToCloseTimeout(.seconds(1))).implemented(block)
        } _: { client, queue, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        let handle = try await client.start(OneActivity.self, .init(name: "blocking"), queue: queue)
                        #expect(try await handle.result() == "blocked")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Activities beyond the slots wait in the server, not in the worker.
    @Test func noMoreRunThanThereAreSlots() async throws {
        let running = Mutex((now: 0, most: 0))
        var options = WorkerOptions()
        options.maximumConcurrentActivities = 3
        try await withWorker(options) { queue in
            OneActivity.registered(on: queue)
            Activity<String, String>("counted", .startToCloseTimeout(.seconds(1))).implemented { _ in
                running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                try await Task.sleep(for: .milliseconds(20))
                running.withLock { $0.now -= 1 }
                return "counted"
            }
        } _: { client, queue, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        let handle = try await client.start(OneActivity.self, .init(name: "counted"), queue: queue)
                        #expect(try await handle.result() == "counted")
                    }
                }
                try await group.waitForAll()
            }
            #expect(running.withLock { $0.most } == 3)
        }
    }

    // MARK: The worker stops

    @Test func aStoppedWorkerFinishesItsActivities() async throws {
        let mayEnd = Mutex(false)
        let notes = Notes()
        let client = try await connect()
        let queue = "queue-\(UUID().uuidString)"
        let slow = Activity<String, String>("slow", .startToCloseTimeout(.seconds(1))).implemented { _ in
            notes.add("began")
            while !mayEnd.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
            notes.add("ended")
            return "first"
        }
        let worker = RunningWorker(client, queue, [OneActivity.registered(on: queue), slow])
        let handle = try await client.start(OneActivity.self, .init(name: "slow"), queue: queue)
        try await eventually("the activity runs") { notes.all == ["began"] }
        worker.worker.stop()
        mayEnd.withLock { $0 = true }
        try await worker.stop()
        #expect(notes.all == ["began", "ended"])
        let other = RunningWorker(client, queue, [OneActivity.registered(on: queue), slow])
        #expect(try await handle.result() == "first")
        #expect(notes.all == ["began", "ended"])
        try await other.stop()
        await close(client)
    }

    @Test func whatAStoppedWorkerCanNotFinishIsHandedBack() async throws {
        let notes = Notes()
        let client = try await connect()
        let queue = "queue-\(UUID().uuidString)"
        var options = WorkerOptions()
        options.gracefulShutdownPeriod = .milliseconds(50)
        let endless = Activity<String, String>("endless", .startToCloseTimeout(.seconds(1))).implemented { context, _ in
            notes.add("attempt \(context.info.attempt)")
            if context.info.attempt == 1 { try await Task.sleep(for: .seconds(600)) }
            return "second"
        }
        let worker = RunningWorker(client, queue, options: options, [OneActivity.registered(on: queue), endless])
        let handle = try await client.start(OneActivity.self, .init(name: "endless"), queue: queue)
        try await eventually("the activity runs") { notes.all == ["attempt 1"] }
        try await worker.stop()
        let other = RunningWorker(client, queue, [OneActivity.registered(on: queue), endless])
        #expect(try await handle.result() == "second")
        try await other.stop()
        await close(client)
    }
}
