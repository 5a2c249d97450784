public import SagamoreEngine
public import Synchronization

/// The answer to a request, which comes later and from any thread. It is given once; one that is dropped says
/// UNAVAILABLE, so that nobody waits for ever.
///
/// Inlinable, since it is on the way of every call: unspecialised it costs as much as a decision.
public final class Reply<Success: Sendable>: Sendable {
    /// What the requester receives.
    public typealias Outcome = Result<Success, RequestError>

    @usableFromInline let handler: @Sendable (Outcome) -> Void
    @usableFromInline let isAnswered = Atomic(false)

    /// A reply that calls `handler` once, on the thread that answers.
    @inlinable
    public init(_ handler: @escaping @Sendable (Outcome) -> Void) {
        self.handler = handler
    }

    @inlinable
    deinit {
        if !isAnswered.load(ordering: .acquiring) { handler(.failure(.dropped)) }
    }

    /// Answers with a value. Has no effect when there was an answer before.
    @inlinable
    public func succeed(_ value: Success) { answer(.success(value)) }
    /// Answers with an error. Has no effect when there was an answer before.
    @inlinable
    public func fail(_ error: RequestError) { answer(.failure(error)) }

    /// Gives the answer; a second one is ignored.
    @inlinable
    public func answer(_ outcome: Outcome) {
        guard !isAnswered.exchange(true, ordering: .acquiringAndReleasing) else { return }
        handler(outcome)
    }
}

extension Reply where Success == Void {
    /// Answers that the request was carried out. Has no effect when there was an answer before.
    @inlinable
    public func succeed() { answer(.success(())) }
}

extension RequestError {
    @usableFromInline static var dropped: RequestError {
        .unavailable("the request was dropped before it was carried out; try again")
    }
}
