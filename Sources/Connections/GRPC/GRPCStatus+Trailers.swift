extension GRPCStatus {
    /// The size of trailers that clients accept. Common clients refuse more than 8 KiB of metadata in total, and then
    /// report a transport error instead of this status.
    static let trailerBudget = 7_000

    /// The status as it can be sent: a code that gRPC knows, and message and details that fit into the trailers.
    ///
    /// The message is cut first. Details that do not fit beside a short message are left out.
    func fittedForTrailers() -> GRPCStatus {
        var fitted = self
        if !(1...16).contains(code.rawValue) { fitted.code = .unknown }
        if let details {
            let encoded = (details.count + 2) / 3 * 4
            let room = Self.trailerBudget - encoded
            if room >= Self.shortestMessage {
                fitted.message = Self.cut(message, toEncodedBytes: room)
                return fitted
            }
            fitted.details = nil
        }
        fitted.message = Self.cut(message, toEncodedBytes: Self.trailerBudget)
        return fitted
    }

    /// The encoded bytes that a message keeps; rather than cut it further, the details are left out.
    private static let shortestMessage = 500

    /// The longest prefix of `message` that takes at most `limit` bytes on the wire. Bytes that are not printable ASCII
    /// take three.
    private static func cut(_ message: String, toEncodedBytes limit: Int) -> String {
        if message.utf8.count * 3 <= limit { return message }
        var used = 0
        var end = message.startIndex
        for index in message.unicodeScalars.indices {
            var cost = 0
            for byte in message.unicodeScalars[index].utf8 {
                cost += (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "%") ? 1 : 3
            }
            if used + cost > limit { return String(message[..<end]) }
            used += cost
            end = message.unicodeScalars.index(after: index)
        }
        return message
    }
}
