/// A call that a channel has under way. Letting go of it does not end the call.
public final class GRPCClientCall: Sendable {
    private let record: ClientCallRecord

    init(_ record: ClientCallRecord) { self.record = record }

    /// Gives the call up: it ends with CANCELLED, unless its answer is there already.
    public func cancel() { record.cancel() }
}
