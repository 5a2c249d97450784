public import FoundationEssentials
public import Sagamore
internal import SagamoreThreads

/// Runs activities as a worker would, without a server: their code gets a context, and what it does with it can be
/// looked at.
///
///     let environment = ActivityEnvironment { Payments.charge.implemented { order in … } }
///     let receipt = try await environment.execute(Payments.charge, order)
///
/// One environment stands for one attempt after the other, with the same settings.
public final class ActivityEnvironment: Sendable {
    private struct State {
        var attempt = ActivityRun.Attempt()
        var heartbeats: [EncodedValues] = []
        var running: [UInt64: @Sendable () -> Void] = [:]
        var isCanceled = false
        var next: UInt64 = 0
    }

    private let code: ActivityRun
    private let state = Locked(State())

    /// An environment for these activities. Workflows may be among the registrations.
    public init(@RegistrationBuilder _ registrations: () -> [Registration]) {
        code = ActivityRun(registrations())
    }

    /// The number of the attempt that the code is told, from 1.
    public var attempt: Int {
        get { state.withLock { $0.attempt.attempt } }
        set { state.withLock { $0.attempt.attempt = newValue } }
    }

    /// The details of the previous attempt's last heartbeat.
    public var heartbeatDetails: EncodedValues {
        get { state.withLock { $0.attempt.heartbeatDetails } }
        set { state.withLock { $0.attempt.heartbeatDetails = newValue } }
    }

    /// The workflow id that the code is told.
    public var workflowID: String {
        get { state.withLock { $0.attempt.workflowID } }
        set { state.withLock { $0.attempt.workflowID = newValue } }
    }

    /// When the attempt was scheduled and started, as the code is told; 1970 at first.
    public var time: Date {
        get { state.withLock { $0.attempt.at } }
        set { state.withLock { $0.attempt.at = newValue } }
    }

    /// The details of each heartbeat, the first one first; empty ones for those without details. A worker would send
    /// fewer.
    public var heartbeats: [EncodedValues] { state.withLock { $0.heartbeats } }

    /// Runs an activity's code, once.
    ///
    /// - Throws: what the code throws, unchanged; `DataError` when input or result cannot be encoded or decoded;
    ///   `ApplicationError` of type `NotFoundError` when the activity has no implementation here, as with a worker.
    public func execute<Input, Output>(_ activity: Activity<Input, Output>, _ input: Input) async throws -> Output {
        let attempt = state.withLock { $0.attempt }
        let task = Task { [self] in
            try await code.execute(activity, input, attempt) { [self] details in
                state.withLock { $0.heartbeats.append(details) }
            }
        }
        let (number, isCanceled) = state.withLock { state in
            state.next += 1
            state.running[state.next] = { task.cancel() }
            return (state.next, state.isCanceled)
        }
        if isCanceled { task.cancel() }
        defer { state.withLock { $0.running[number] = nil } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Runs an activity's code without input.
    /// - Throws: as ``execute(_:_:)``.
    public func execute<Output>(_ activity: Activity<Nothing, Output>) async throws -> Output {
        try await execute(activity, Nothing())
    }

    /// Cancels the activities that run, and those that begin from now on, as a cancel request or the end of the worker
    /// does.
    public func cancel() {
        let running = state.withLock { state in
            state.isCanceled = true
            return Array(state.running.values)
        }
        for cancel in running { cancel() }
    }
}
