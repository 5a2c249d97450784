internal import Synchronization

/// The memory of large requests, in sum over all connections: requests that are being received, and requests that wait
/// for the pool, inflated. A few bytes on the wire may inflate to the largest message, so neither the sockets nor the
/// number of calls bounds it.
final class RequestMemory: Sendable {
    /// The bytes that large requests may hold.
    let limit: Int
    /// Requests up to this size are not counted: they are handled at once.
    let smallSize: Int
    private let held = Atomic(0)

    init(limit: Int, smallSize: Int) {
        self.limit = limit
        self.smallSize = smallSize
    }

    /// The bytes that large requests hold.
    var bytes: Int { held.load(ordering: .relaxed) }

    /// Reserves bytes for a large request.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when the limit would be exceeded.
    func reserve(_ count: Int) throws(GRPCStatus) {
        guard held.add(count, ordering: .relaxed).newValue > limit else { return }
        release(count)
        throw GRPCStatus(
            .resourceExhausted,
            "large requests hold the server's limit of \(limit) bytes: try again later"
        )
    }

    /// Gives bytes back.
    func release(_ count: Int) {
        held.subtract(count, ordering: .relaxed)
    }
}
