/// Puts messages into the form of the wire and takes them out of it.
///
/// Belongs to the channel's thread.
final class MessageCodec {
    private let inflater: MessageInflater
    private let deflater: MessageDeflater?

    /// Smaller requests are not worth their compression.
    static let smallestCompressed = 1024

    init(_ configuration: GRPCChannelConfiguration) {
        inflater = MessageInflater(limit: configuration.maximumMessageBytes)
        deflater = configuration.compressesRequests ? MessageDeflater() : nil
    }

    func encode(_ request: [UInt8]) -> OutgoingMessage {
        guard let deflater, request.count >= Self.smallestCompressed, let packed = deflater.gzip(request) else {
            return OutgoingMessage([request])
        }
        return OutgoingMessage([packed], isPacked: true)
    }

    /// - Throws: RESOURCE_EXHAUSTED when it is too large unpacked, INTERNAL when it cannot be unpacked.
    func decode(_ response: IncomingMessage, _ algorithm: MessageInflater.Algorithm?) throws(GRPCStatus) -> [UInt8] {
        guard response.isPacked else { return Array(response.bytes) }
        guard let algorithm else {
            throw GRPCStatus(.internalError, "the response is compressed in a way that was not offered")
        }
        let message = try inflater.inflate(response.bytes, algorithm)
        defer { message.deallocate() }
        return Array(message)
    }
}
