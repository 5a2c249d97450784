internal import CSagamoreHTTP2

/// Header fields of responses, in the form of nghttp2.
enum ResponseFields {
    /// The headers of a response with a message. Unchecked, like `success`: created once, never changed or freed.
    nonisolated(unsafe) static let head = HeaderFields.lasting([status200, contentType, accepts])
    /// The trailers of a response with a message.
    nonisolated(unsafe) static let success = HeaderFields.lasting([ok])

    private static var status200: nghttp2_nv { HeaderFields.constant(":status", "200") }
    private static var contentType: nghttp2_nv { HeaderFields.constant("content-type", "application/grpc") }
    private static var accepts: nghttp2_nv { HeaderFields.constant("grpc-accept-encoding", "identity,deflate,gzip") }
    private static var ok: nghttp2_nv { HeaderFields.constant("grpc-status", "0") }

    /// A response with a status and no message.
    static func withStatus<Result>(
        _ status: GRPCStatus,
        _ body: (HeaderFields.List) -> Result
    ) -> Result {
        var fields: [HeaderFields.Field] = [.constant(status200), .constant(contentType), .constant(accepts)]
        func add(_ name: String, _ value: [UInt8]) { fields.append(.text(name, value, isRepeated: false)) }
        add("grpc-status", Array(String(status.code.rawValue).utf8))
        if !status.message.isEmpty { add("grpc-message", StatusMessage.encoded(status.message)) }
        if let details = status.details { add("grpc-status-details-bin", details) }
        return HeaderFields.with(fields, body)
    }

    /// The response to a request that is not a gRPC call.
    static func withHTTPStatus<Result>(
        _ status: StaticString,
        _ body: (HeaderFields.List) -> Result
    ) -> Result {
        HeaderFields.with([.constant(HeaderFields.constant(":status", status))], body)
    }
}
