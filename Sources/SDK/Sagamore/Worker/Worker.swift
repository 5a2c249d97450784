internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreLogging
internal import SagamoreProtobuf
internal import SagamoreThreads

/// Runs workflows and activities of one task queue.
///
///     let worker = Worker(try await Client.connect(), taskQueue: "travel-booking") {
///         TravelBooking.registered
///         Travel.bookCar.implemented(agency.book)
///     }
///     try await worker.run()
///
/// Any number of workers may serve a queue, in any number of processes. A worker waits while the server is away and
/// continues when it is back.
public final class Worker: Sendable {
    private let client: Client
    private let taskQueue: String
    private let options: WorkerOptions
    private let registrations: [Registration]

    private struct State {
        /// The check of the namespace, which a stop cancels: the server may not answer it.
        var check: Task<Void, any Error>?
        var runtime: WorkerRuntime?
        var isStopped = false
    }

    private let state = Locked(State())

    /// Creates a worker for a task queue.
    ///
    /// - Parameters:
    ///   - client: its connection. The worker uses the client's identity.
    ///   - taskQueue: the task queue that it polls.
    ///   - options: its limits, and how it stops.
    ///   - registrations: its workflows and activities, one per line: `MyWorkflow.registered`,
    ///     `myActivity.implemented { … }`.
    public init(
        _ client: Client,
        taskQueue: String,
        options: WorkerOptions = WorkerOptions(),
        @RegistrationBuilder _ registrations: () -> [Registration]
    ) {
        self.client = client
        self.taskQueue = taskQueue
        self.options = options
        self.registrations = registrations()
    }

    /// Runs until ``stop()`` is called, the calling task is cancelled, or SIGTERM or SIGINT arrives (see
    /// ``WorkerOptions/stopsOnSignals``). Then it takes no more tasks, finishes running ones, and returns. Call it only
    /// once.
    ///
    /// - Throws: ``WorkerError`` when the registrations are invalid or the server refuses the worker.
    public func run() async throws {
        let registry = try Registry(registrations, taskQueue: taskQueue)
        if let problem = options.problem { throw WorkerError(.badOptions, problem) }
        let runtime = WorkerRuntime(client, taskQueue: taskQueue, registry: registry, options: options)
        let signals = options.stopsOnSignals ? StopSignals { self.stop() } : nil
        defer { signals?.cancel() }
        try await cancellableCheck()
        let isStopped = state.withLock { state in
            state.runtime = runtime
            return state.isStopped
        }
        if isStopped { return }
        try await withTaskCancellationHandler {
            try await runtime.run()
        } onCancel: {
            runtime.stop()
        }
    }

    /// Makes ``run()`` take no more tasks, finish running ones, and return. Returns at once.
    public func stop() {
        let (check, runtime) = state.withLock { state in
            state.isStopped = true
            return (state.check, state.runtime)
        }
        check?.cancel()
        runtime?.stop()
    }

    private func cancellableCheck() async throws {
        let check = Task { try await self.checkNamespace() }
        let isStopped = state.withLock { state in
            state.check = check
            return state.isStopped
        }
        if isStopped { check.cancel() }
        try await withTaskCancellationHandler {
            try await check.value
        } onCancel: {
            check.cancel()
        }
    }

    /// Checks the namespace first: a wrong name would otherwise show only in failing polls. Waits for the server.
    private func checkNamespace() async throws {
        var request = DescribeNamespaceRequest()
        request.namespace = client.options.namespace
        var backoff = Backoff(longest: .seconds(5))
        while !state.withLock({ $0.isStopped }), !Task.isCancelled {
            switch await client.service.call(
                .describeNamespace,
                request,
                patience: .zero,
                DescribeNamespaceResponse.self
            ) {
            case .success: return
            // Some servers do not offer this call.
            case .failure(let status) where [.unimplemented, .permissionDenied].contains(status.code): return
            case .failure where Task.isCancelled: return
            case .failure(let status):
                if let failure = WorkerRuntime.failure(status) { throw failure }
                Logger(label: "sagamore.worker").warning(
                    "cannot reach the server, retrying",
                    metadata: ["address": "\(client.options.address)", "error": "\(status)"]
                )
                try? await Task.sleep(for: backoff.next())
            }
        }
    }
}
