import Foundation
import Synchronization
import Testing

@testable import Sagamore

/// Workflow code that breaks the rules. Its task fails with a helpful message, everything else continues, and fixed
/// code completes the run.
///
/// Only the failure of a first attempt is in the history, so the task must not time out before, although code with
/// large values takes seconds on a busy machine. So fixed code runs only after the default timeout.
@Suite(.timeLimit(.minutes(3)))
struct DefectTests {
    private enum Defect: String, Codable, CaseIterable {
        case task, detached, sleep, mainActor, unknownError, largeInput, largeTask
    }

    private struct Broken: Workflow {
        static let type = WorkflowKind<Defect, String>("Broken", taskQueue: "any")
        func run(_ context: WorkflowContext<NoState>, _ defect: Defect) async throws -> String {
            switch defect {
            case .task: Task {}
            case .detached: await Task.detached {}.value
            // Long: a sleep that ends before the code awaits it is not detected.
            case .sleep: try await Task.sleep(for: .seconds(60))
            case .mainActor: await MainActor.run {}
            case .unknownError: throw CocoaError(.fileNoSuchFile)
            case .largeInput: _ = try await context.execute(shout, String(repeating: "x", count: 3 << 20))
            case .largeTask:
                try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<3 {
                        group.addTask { try await context.execute(shout, String(repeating: "x", count: 3 << 19)) }
                    }
                    try await group.waitForAll()
                }
            }
            return try await context.execute(shout, "ended")
        }
    }

    private struct Repaired: Workflow {
        static let type = WorkflowKind<Defect, String>("Broken", taskQueue: "any")
        func run(_ context: WorkflowContext<NoState>, _ defect: Defect) async throws -> String {
            try await context.execute(shout, "repaired")
        }
    }

    private static let loud = shout.implemented { text in text.uppercased() }

    private static let messages: [Defect: String] = [
        .task: "created a task outside its executor", .detached: "created a task outside its executor",
        .sleep: "waits for something outside its context", .mainActor: "outside its context",
        .unknownError: "exist", .largeInput: "the input of activity 'shout' has 3145",
        .largeTask: "the workflow's 3 commands have 4719",
    ]

    @Test(arguments: Defect.allCases)
    private func aDefectFailsTheTaskAndNoMore(_ defect: Defect) async throws {
        let client = try await connect()
        let queue = "queue-\(UUID().uuidString)"
        let worker = RunningWorker(
            client,
            queue,
            [Broken.registered(on: queue), Greeting.registered(on: queue), Self.loud, whisper.implemented { $0 }]
        )
        let handle = try await client.start(Broken.self, defect, queue: queue)
        let wanted = try #require(Self.messages[defect])
        try await eventually("the task fails") { try await failedTask(client, handle.id)?.contains(wanted) == true }
        let other = try await client.start(Greeting.self, "Ada", queue: queue)
        #expect(try await other.result() == "ADA")
        try await worker.stop()
        let next = RunningWorker(client, queue, [Repaired.registered(on: queue), Self.loud])
        let result = try await handle.result()
        #expect(result == "REPAIRED", "\(defect)")
        try await next.stop()
        await close(client)
    }

    private static let mayEnd = Mutex(false)

    private struct Looping: Workflow {
        static let type = WorkflowKind<String, String>("Looping", taskQueue: "any")
        func run(_ context: WorkflowContext<NoState>, _ input: String) async throws -> String {
            while !DefectTests.mayEnd.withLock({ $0 }) {}
            return input
        }
    }

    /// An endless loop loses its thread, is reported, and is not run again here. The worker continues with a new
    /// thread.
    @Test func aLoopIsReportedAndGivenUp() async throws {
        var options = WorkerOptions()
        options.workflowThreads = 1
        try await withWorker(options) { queue in
            Looping.registered(on: queue)
            Greeting.registered(on: queue)
            Self.loud
            whisper.implemented { $0 }
        } _: { client, queue, _ in
            let handle = try await client.start(Looping.self, "x", queue: queue)
            try await eventually("the task fails") {
                try await failedTask(client, handle.id)?.contains("ran for 2 s without waiting") == true
            }
            let other = try await client.start(Greeting.self, "Ada", queue: queue)
            #expect(try await other.result() == "ADA")
            try await handle.terminate()
            Self.mayEnd.withLock { $0 = true }
        }
    }

    private struct First: Workflow {
        static let type = WorkflowKind<Nothing, String>("Changed", taskQueue: "any")
        static let go = Signal<Nothing>("go")
        struct State: WorkflowState { var mayGo = false }
        static let handlers: [Handler<State>] = [.on(go) { state, _ in state.mayGo = true }]
        func run(_ context: WorkflowContext<State>, _ input: Nothing) async throws -> String {
            let text = try await context.execute(shout, "first")
            try await context.condition { $0.mayGo }
            return text
        }
    }

    private struct Second: Workflow {
        static let type = First.type
        static let handlers: [Handler<First.State>] = First.handlers
        func run(_ context: WorkflowContext<First.State>, _ input: Nothing) async throws -> String {
            let text = try await context.execute(whisper, "first")
            try await context.condition { $0.mayGo }
            return text
        }
    }

    /// A deviation from the history is reported with both sides, and the old code continues.
    @Test func changedCodeIsToldWithBothSides() async throws {
        let client = try await connect()
        let queue = "queue-\(UUID().uuidString)"
        let old = [First.registered(on: queue), Self.loud]
        let first = RunningWorker(client, queue, old)
        let handle = try await client.start(First.self, Nothing(), queue: queue)
        try await eventually("the activity is done") {
            let events = try await history(client, handle.id)
            return events.count > 8 && events.last?.eventType == .workflowTaskCompleted
        }
        try await first.stop()
        let changed = RunningWorker(client, queue, [Second.registered(on: queue), whisper.implemented { $0 }])
        try await handle.signal(First.go, Nothing())
        try await eventually("the task fails") {
            try await failedTask(client, handle.id)?.hasSuffix(
                "expected by the history: activity 'shout' with id 1; found in the code: activity 'whisper' with id 1"
            ) == true
        }
        try await changed.stop()
        let again = RunningWorker(client, queue, old)
        #expect(try await handle.result() == "FIRST")
        try await again.stop()
        await close(client)
    }
}
