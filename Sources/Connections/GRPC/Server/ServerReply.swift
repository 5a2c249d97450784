/// The answer to a call.
enum ServerReply: Sendable {
    case message([UInt8])
    case parts([[UInt8]])
    case status(GRPCStatus)
}
