import Foundation
import SagamoreProgramTestSupport
import SagamoreThreads
import Synchronization
import Testing

@testable import Sagamore

/// Runs `body` with a worker on its own queue of the shared server.
func withWorker(
    _ options: WorkerOptions = WorkerOptions(),
    server: DevProgram? = nil,
    @RegistrationBuilder _ registrations: (_ queue: String) -> [Registration],
    _ body: (_ client: Client, _ queue: String, _ worker: RunningWorker) async throws -> Void
) async throws {
    let queue = "queue-\(UUID().uuidString)"
    let client = try await connect(server)
    let worker = RunningWorker(client, queue, options: options, registrations(queue))
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(client, queue, worker))
    } catch {
        result = .failure(error)
    }
    try await worker.stop()
    await close(client)
    try result.get()
}

/// A client of a server, the shared one unless given. `SAGAMORE_TEST_SERVER` names the address of another shared one,
/// such as Temporal's.
func connect(_ server: DevProgram? = nil) async throws -> Client {
    let other = server == nil ? ProcessInfo.processInfo.environment["SAGAMORE_TEST_SERVER"] : nil
    let address = try await blocking { try other ?? (server ?? DevProgram.shared()).address() }
    return try await Client.connect(ClientOptions(address: address, namespace: "default"))
}

/// Closes a client on a thread that may block.
func close(_ client: Client) async { try? await blocking { client.close() } }

/// Runs blocking code on a dedicated thread: the cooperative pool has few, and all timers need them.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await SystemThread.run("blocking", body)
}

/// A worker that runs beside a test.
final class RunningWorker: Sendable {
    let worker: Worker
    private let task: Task<Void, any Error>

    init(
        _ client: Client,
        _ queue: String,
        options: WorkerOptions = WorkerOptions(),
        _ registrations: [Registration]
    ) {
        var options = options
        options.stopsOnSignals = false
        let worker = Worker(client, taskQueue: queue, options: options) { registrations }
        self.worker = worker
        task = Task { try await worker.run() }
    }

    /// Stops it gracefully and waits for it.
    func stop() async throws {
        worker.stop()
        try await task.value
    }
}

/// Waits until `condition` holds.
func eventually(
    _ what: Comment,
    seconds: Double = 30,
    _ location: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = Date().addingTimeInterval(seconds)
    while try await !condition() {
        try #require(Date() < end, what, sourceLocation: location)
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// A thread-safe list of notes.
final class Notes: Sendable {
    private let list = Mutex<[String]>([])
    func add(_ note: String) { list.withLock { $0.append(note) } }
    var all: [String] { list.withLock { $0 } }
}

/// Disambiguates from the contract's message of the same name.
typealias WorkflowKind<Input: Codable & Sendable, Output: Codable & Sendable> = Sagamore.WorkflowType<Input, Output>

extension Client {
    func start<Code: Workflow>(
        _ code: Code.Type,
        _ input: Code.Input,
        queue: String,
        id: String = "w-\(UUID().uuidString)",
        _ change: (inout WorkflowOptions) -> Void = { _ in }
    ) async throws -> WorkflowHandle<Code.Output> {
        var options = WorkflowOptions(id: id)
        options.taskQueue = queue
        change(&options)
        return try await start(Code.type, input, options)
    }
}

extension Workflow {
    /// The workflow for a worker of another queue than the type's: each test has its own.
    static func registered(on queue: String) -> Registration {
        let table = HandlerTable(handlers)
        return Registration(name: type.name, content: .workflow(taskQueue: queue) { TypedRunCode<Self>(table) })
    }
}
