internal import SagamoreAPI
internal import SagamoreProtobuf

/// A handler for a signal or a query. It sees only the state and cannot wait.
public struct Handler<State: Sendable>: Sendable {
    typealias Change = @Sendable (inout State, RawMessage<Payloads>?) throws -> Void
    typealias Answer = @Sendable (State, RawMessage<Payloads>?) throws -> RawMessage<Payloads>

    enum Kind: Sendable {
        case signal(Change)
        case query(Answer)
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
            kind: .signal { state, payloads in
                change(&state, try PayloadCoding.first(payloads, as: Input.self))
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
}
