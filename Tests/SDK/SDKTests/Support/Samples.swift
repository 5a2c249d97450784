import Sagamore

let work = Activity<String, String>("work", .startToCloseTimeout(.seconds(5)))
let other = Activity<String, String>("other", .startToCloseTimeout(.seconds(5)))

/// Disambiguates from the contract's message of the same name.
typealias TestType<Input: Codable & Sendable, Output: Codable & Sendable> = WorkflowType<Input, Output>

/// A workflow type for test code; name and queue do not matter.
func testType<Input, Output>(_ name: String = "Test") -> WorkflowType<Input, Output> {
    WorkflowType(name, taskQueue: "test")
}

struct TwoSteps: Workflow {
    static let type: TestType<String, String> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: String) async throws -> String {
        let first = try await context.execute(work, input)
        return try await context.execute(other, first)
    }
}

struct SideBySide: Workflow {
    struct State: WorkflowState { var trace: [String] = [] }
    static let type: TestType<Nothing, [String]> = testType()

    func run(_ context: WorkflowContext<State>, _ input: Nothing) async throws -> [String] {
        async let left = context.execute(work, "left")
        async let right = context.execute(other, "right")
        context.state.trace.append(try await left + (try await right))
        try await withThrowingTaskGroup(of: String.self) { group in
            for name in ["a", "b", "c"] {
                group.addTask {
                    try await context.execute(Activity<String, String>(name, .startToCloseTimeout(.seconds(1))), name)
                }
            }
            for try await value in group { context.state.trace.append(value) }
        }
        return context.state.trace
    }
}

struct Waiting: Workflow {
    struct State: WorkflowState { var names: [String] = []; var isDone = false }
    static let type: TestType<Nothing, [String]> = testType()
    static let add = Signal<String>("add")
    static let done = Signal<Nothing>("done")
    static let names = Query<Nothing, [String]>("names")
    static let handlers: [Handler<State>] = [
        .on(add) { state, name in state.names.append(name) },
        .on(done) { state, _ in state.isDone = true },
        .answer(names) { state, _ in state.names },
    ]

    func run(_ context: WorkflowContext<State>, _ input: Nothing) async throws -> [String] {
        try await context.condition { $0.isDone }
        return context.state.names
    }
}
