public import SagamoreEngine
public import Synchronization

/// The pending answer to a request. It is given once, later, from any thread. A reply that is released without an
/// answer answers UNAVAILABLE, so no requester waits forever.
///
/// Inlinable, because every call uses it: unspecialized, it costs as much as a decision.
public final class Reply<Success: Sendable>: Sendable {
    /// The answer or an error.
    public typealias Outcome = Result<Success, RequestError>

    @usableFromInline let handler: @Sendable (Outcome) -> Void
    @usableFromInline let isAnswered = Atomic(false)

    /// Creates a reply that calls `handler` once, on the thread that answers.
    @inlinable
    public init(_ handler: @escaping @Sendable (Outcome) -> Void) {
        self.handler = handler
    }

    @inlinable
    deinit {
        if !isAnswered.load(ordering: .acquiring) { handler(.failure(.dropped)) }
    }

    /// Answers with a value. Ignored after an answer.
    @inlinable
    public func succeed(_ value: Success) { answer(.success(value)) }
    /// Answers with an error. Ignored after an answer.
    @inlinable
    public func fail(_ error: RequestError) { answer(.failure(error)) }

    /// Answers. Ignored after an answer.
    @inlinable
    public func answer(_ outcome: Outcome) {
        guard !isAnswered.exchange(true, ordering: .acquiringAndReleasing) else { return }
        handler(outcome)
    }

    /// Lets the requester wait for ever: the process that was to answer was killed, in a simulation.
    package func abandon() { _ = isAnswered.exchange(true, ordering: .acquiringAndReleasing) }
}

extension Reply where Success == Void {
    /// Answers without a value. Ignored after an answer.
    @inlinable
    public func succeed() { answer(.success(())) }
}

extension RequestError {
    @usableFromInline static var dropped: RequestError {
        .unavailable("the request was dropped before it was executed; try again")
    }
}
