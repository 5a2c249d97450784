internal import SagamoreAPI
internal import SagamoreProtobuf

/// A handler for a signal, a query or an update.
///
/// Handlers that only change the state, and those of queries, see nothing else and cannot wait: a query is answered
/// between two steps of the workflow, and leaves no trace in its history. Those with `run` have the workflow's context.
public struct Handler<State: Sendable>: Sendable {
    /// Reads a signal's input, and changes the state unless the handler waits.
    typealias Arrival = @Sendable (WorkflowContext<State>, RawMessage<Payloads>?) throws -> SignalWork
    typealias Answer = @Sendable (State, RawMessage<Payloads>?) throws -> RawMessage<Payloads>

    /// Reads an update's input and validates it, unless the update was accepted before.
    typealias Acceptance =
        @Sendable (WorkflowContext<State>, RawMessage<Payloads>?, _ wasAccepted: Bool) throws -> UpdateWork

    enum Kind: Sendable {
        case signal(Arrival)
        case query(Answer)
        case update(Acceptance)
    }

    let name: String
    let kind: Kind

    /// Changes the state when `signal` arrives. Signals that arrive before the workflow runs are applied first.
    public static func on<Input>(
        _ signal: Signal<Input>,
        _ change: @escaping @Sendable (inout State, Input) -> Void
    ) -> Handler {
        Handler(
            name: signal.name,
            kind: .signal { context, payloads in
                let input = try PayloadCoding.first(payloads, as: Input.self)
                context.box.update { change(&$0, input) }
                return .done
            }
        )
    }

    /// Runs code with the workflow's context when `signal` arrives: it may run activities and wait.
    ///
    /// It runs beside `run`, which should call ``WorkflowContext/allHandlersFinished()`` before it returns. Signals
    /// that arrive before the workflow runs begin first.
    /// - Parameter run: the code. A ``WorkflowFailure`` or ``ContinueAsNew`` that it throws ends the workflow as if
    ///   `run` of the workflow had thrown it. Any other error counts as a bug, and the workflow task is retried.
    public static func on<Input>(
        _ signal: Signal<Input>,
        run: @escaping @Sendable (WorkflowContext<State>, Input) async throws -> Void
    ) -> Handler {
        Handler(
            name: signal.name,
            kind: .signal { context, payloads in
                let input = try PayloadCoding.first(payloads, as: Input.self)
                return .waiting { try await run(context, input) }
            }
        )
    }

    /// Answers `query` from the state, which it cannot change. Errors are returned to the caller.
    public static func answer<Input, Output>(
        _ query: Query<Input, Output>,
        _ answer: @escaping @Sendable (State, Input) throws -> Output
    ) -> Handler {
        Handler(
            name: query.name,
            kind: .query { state, payloads in
                try PayloadCoding.list(try answer(state, try PayloadCoding.first(payloads, as: Input.self)))
            }
        )
    }

    /// Changes the state when `update` arrives, and returns its result. It cannot wait; see
    /// ``on(_:validate:run:)`` for one that can.
    ///
    /// - Parameters:
    ///   - validate: rejects the update by throwing. A rejected update leaves no trace in the history.
    ///   - change: changes the state. A ``WorkflowFailure`` that it throws is the update's outcome, and the state stays
    ///     as it was. Any other error counts as a bug, and the workflow task is retried.
    public static func on<Input, Output>(
        _ update: Update<Input, Output>,
        validate: (@Sendable (State, Input) throws -> Void)? = nil,
        _ change: @escaping @Sendable (inout State, Input) throws -> Output
    ) -> Handler {
        Handler(
            name: update.name,
            kind: .update { context, payloads, wasAccepted in
                let input = try PayloadCoding.first(payloads, as: Input.self)
                if !wasAccepted { try validate?(context.box.value, input) }
                return .immediate {
                    var state = context.box.value
                    let output = try change(&state, input)
                    context.box.set(state)
                    return try PayloadCoding.list(output)
                }
            }
        )
    }

    /// Runs code with the workflow's context when `update` arrives: it may run activities and wait.
    ///
    /// It runs beside `run`, which should call ``WorkflowContext/allHandlersFinished()`` before it returns.
    /// - Parameters:
    ///   - validate: rejects the update by throwing. A rejected update leaves no trace in the history.
    ///   - run: the code. A ``WorkflowFailure`` that it throws is the update's outcome. Any other error counts as a
    ///     bug, and the workflow task is retried.
    public static func on<Input, Output>(
        _ update: Update<Input, Output>,
        validate: (@Sendable (State, Input) throws -> Void)? = nil,
        run: @escaping @Sendable (WorkflowContext<State>, Input) async throws -> Output
    ) -> Handler {
        Handler(
            name: update.name,
            kind: .update { context, payloads, wasAccepted in
                let input = try PayloadCoding.first(payloads, as: Input.self)
                if !wasAccepted { try validate?(context.box.value, input) }
                return .waiting { try PayloadCoding.list(try await run(context, input)) }
            }
        )
    }
}

/// What is left to do for a signal that was read.
enum SignalWork: Sendable {
    case done
    case waiting(@Sendable () async throws -> Void)
}

/// What an accepted update does.
enum UpdateWork: Sendable {
    case immediate(@Sendable () throws -> RawMessage<Payloads>)
    case waiting(@Sendable () async throws -> RawMessage<Payloads>)
}
