/// An outgoing call, from its caller to its completion.
///
/// Unchecked: what changes belongs to the channel's thread, once the call was posted to it.
final class ClientCall: @unchecked Sendable {
    typealias Completion = @Sendable (Result<[UInt8], GRPCStatus>) -> Void

    let path: String
    let request: [UInt8]
    let deadline: ContinuousClock.Instant?
    let metadata: GRPCChannelConfiguration.Metadata
    /// Nil once it has run.
    private var completion: Completion?

    /// The connection that carries the call, and the call's place in its table and its stream there.
    var connection: ClientConnection?
    var place = 0
    var stream: Int32 = 0
    var message = OutgoingMessage([])
    var response = IncomingMessage()
    var head = ResponseHead()
    /// Connections that were lost before the server could process the call.
    var losses = 0

    /// How often a call is sent again that no server has processed.
    static let mostLosses = 5

    init(
        _ path: String,
        _ request: [UInt8],
        deadline: Duration?,
        metadata: GRPCChannelConfiguration.Metadata,
        _ completion: @escaping Completion
    ) {
        self.path = path
        self.request = request
        // A time that far away is none.
        self.deadline = deadline.flatMap { $0 < .seconds(3_153_600_000) ? .now + $0 : nil }
        self.metadata = metadata
        self.completion = completion
    }

    deinit { response.deallocate() }

    var isOver: Bool { completion == nil }

    func isLate(at now: ContinuousClock.Instant) -> Bool { deadline.map { $0 <= now } ?? false }

    /// Makes the call ready to be sent, for the first time or again.
    func prepare(_ message: OutgoingMessage) {
        self.message = message
        response.deallocate()
        response = IncomingMessage()
        head = ResponseHead()
    }

    /// Tells the caller, once.
    func finish(_ result: Result<[UInt8], GRPCStatus>) {
        guard let completion else { return }
        self.completion = nil
        response.deallocate()
        completion(result)
    }

    static let cancelled = GRPCStatus(.cancelled, "the caller cancelled the call")
    static let expired = GRPCStatus(.deadlineExceeded, "the call's deadline has passed")
}
