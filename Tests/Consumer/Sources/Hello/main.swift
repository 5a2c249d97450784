import Sagamore

/// What the workflow, its activity and its callers tell each other.
enum Greetings {
    static let hello = WorkflowType<String, String>("Hello", taskQueue: "hello")
    static let greet = Activity<String, String>("greet", .startToCloseTimeout(.seconds(5)))
}

/// Greets somebody.
struct Hello: Workflow {
    static let type = Greetings.hello

    func run(_ context: WorkflowContext<NoState>, _ name: String) async throws -> String {
        try await context.execute(Greetings.greet, name)
    }
}

let client = try await Client.connect()
let worker = Worker(client, taskQueue: Greetings.hello.taskQueue) {
    Hello.registered
    Greetings.greet.implemented { name in "Hello, \(name)!" }
}
try await worker.run()
