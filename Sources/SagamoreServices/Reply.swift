public import SagamoreEngine
internal import Synchronization

/// The answer to a request, which comes later and from any thread. It is given once; one that is dropped says
/// UNAVAILABLE, so that nobody waits for ever.
public final class Reply<Success: Sendable>: Sendable {
    public typealias Outcome = Result<Success, RequestError>

    private let handler: Mutex<(@Sendable (Outcome) -> Void)?>

    public init(_ handler: @escaping @Sendable (Outcome) -> Void) {
        self.handler = Mutex(handler)
    }

    deinit {
        answer(.failure(.unavailable("the request was dropped before it was carried out; try again")))
    }

    public func succeed(_ value: Success) { answer(.success(value)) }
    public func fail(_ error: RequestError) { answer(.failure(error)) }

    /// Gives the answer; a second one is ignored.
    public func answer(_ outcome: Outcome) {
        let handler = self.handler.withLock { current in
            let handler = current
            current = nil
            return handler
        }
        handler?(outcome)
    }
}

extension Reply where Success == Void {
    public func succeed() { answer(.success(())) }
}
