import Sagamore

let shout = Activity<String, String>("shout", .startToCloseTimeout(.seconds(10)))
let whisper = Activity<String, String>(
    "whisper",
    .startToCloseTimeout(.seconds(10), retryPolicy: RetryPolicy(initialInterval: .milliseconds(20)))
)

struct Greeting: Workflow {
    static let type = WorkflowKind<String, String>("Greeting", taskQueue: "any")
    func run(_ context: WorkflowContext<NoState>, _ name: String) async throws -> String {
        let loud = try await context.execute(shout, name)
        return try await context.execute(whisper, loud)
    }
}

/// Collects what signals bring, with an activity for each, until told to stop.
struct Collecting: Workflow {
    struct State: WorkflowState { var pending: [String] = []; var done: [String] = []; var isClosed = false }
    static let type = WorkflowKind<Nothing, [String]>("Collecting", taskQueue: "any")
    static let add = Signal<String>("add")
    static let close = Signal<Nothing>("close")
    static let list = Query<Nothing, [String]>("list")
    static let handlers: [Handler<State>] = [
        .on(add) { state, name in state.pending.append(name) },
        .on(close) { state, _ in state.isClosed = true },
        .answer(list) { state, _ in state.done },
    ]

    func run(_ context: WorkflowContext<State>, _ input: Nothing) async throws -> [String] {
        while true {
            try await context.condition { !$0.pending.isEmpty || $0.isClosed }
            guard !context.state.pending.isEmpty else { return context.state.done }
            let name = context.state.pending.removeFirst()
            let loud = try await context.execute(shout, name)
            context.state.done.append(loud)
        }
    }
}

/// Waits for a given number of timers.
struct Ticking: Workflow {
    static let type = WorkflowKind<Int, Int>("Ticking", taskQueue: "any")
    func run(_ context: WorkflowContext<NoState>, _ count: Int) async throws -> Int {
        for _ in 0..<count { try await context.sleep(for: .milliseconds(30)) }
        return count
    }
}

/// One activity under the options that the input asks for.
struct OneActivity: Workflow {
    struct Options: Codable, Sendable {
        var name: String
        var attempts = 0
        var heartbeatMilliseconds: Int?
        var startToCloseMilliseconds = 10_000
    }
    struct State: WorkflowState { var isCancelled = false }
    static let type = WorkflowKind<Options, String>("OneActivity", taskQueue: "any")
    static let cancel = Signal<Nothing>("cancel")
    static let handlers: [Handler<State>] = [.on(cancel) { state, _ in state.isCancelled = true }]

    func run(_ context: WorkflowContext<State>, _ options: Options) async throws -> String {
        let activity = Activity<String, String>(options.name, .startToCloseTimeout(.seconds(10)))
        var how = ActivityOptions.startToCloseTimeout(
            .milliseconds(options.startToCloseMilliseconds),
            retryPolicy: RetryPolicy(initialInterval: .milliseconds(20), maximumAttempts: options.attempts)
        )
        how.heartbeatTimeout = options.heartbeatMilliseconds.map { .milliseconds($0) }
        how.cancellationType = .waitCancellationCompleted
        return try await context.execute(activity, "input", options: how)
    }
}
