internal import Glibc

/// The header fields of a response, and its trailers.
struct ResponseHead: Sendable {
    /// The status of HTTP; 0 before it has arrived.
    var httpStatus = 0
    var isGRPC = false
    /// The compression of the message; nil for none.
    var algorithm: MessageInflater.Algorithm?
    /// gRPC's status; nil before it has arrived.
    var code: GRPCStatus.Code?
    var message = ""
    var details: [UInt8]?
    /// The size of names and values, and 32 bytes for each field, as in HTTP/2.
    var size = 0

    /// The largest head. The trailers of a long error count, too.
    static let limit = 64 * 1024

    mutating func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        size += name.count + value.count + 32
        guard size <= Self.limit else { return }
        switch name.count {
        case 7 where Self.same(name, ":status"): httpStatus = Self.number(value) ?? 0
        case 11 where Self.same(name, "grpc-status"):
            code = GRPCStatus.Code(rawValue: Self.number(value) ?? GRPCStatus.Code.unknown.rawValue)
        case 12 where Self.same(name, "content-type"): isGRPC = value.starts(with: "application/grpc".utf8)
        case 12 where Self.same(name, "grpc-message"): message = StatusMessage.decoded(value)
        case 13 where Self.same(name, "grpc-encoding"):
            algorithm = Self.same(value, "gzip") ? .gzip : Self.same(value, "deflate") ? .deflate : nil
        case 23 where Self.same(name, "grpc-status-details-bin"): details = BinaryField.decoded(Array(value)[...])
        default: break
        }
    }

    /// Adds the fields of trailers.
    mutating func merge(_ later: ResponseHead) {
        if later.httpStatus != 0 { httpStatus = later.httpStatus }
        isGRPC = isGRPC || later.isGRPC
        algorithm = later.algorithm ?? algorithm
        if let code = later.code { (self.code, message, details) = (code, later.message, later.details) }
        size += later.size
    }

    /// The status of a response that ends with this head; nil for OK.
    func failure(of target: String) -> GRPCStatus? {
        if size > Self.limit {
            return GRPCStatus(.resourceExhausted, "the response has more than \(Self.limit) bytes of header fields")
        }
        if let code { return code == .ok ? nil : GRPCStatus(code, message, details: details) }
        let text = "the answer of HTTP has the status \(httpStatus) and none of gRPC: is \(target) a gRPC server?"
        return GRPCStatus(Self.code(ofHTTP: httpStatus), text)
    }

    /// gRPC's table for answers of proxies and other servers.
    private static func code(ofHTTP status: Int) -> GRPCStatus.Code {
        switch status {
        case 200, 400: .internalError
        case 401: .unauthenticated
        case 403: .permissionDenied
        case 404: .unimplemented
        case 429, 502, 503, 504: .unavailable
        default: .unknown
        }
    }

    private static func same(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard let start = bytes.baseAddress, bytes.count == text.utf8CodeUnitCount else { return false }
        return memcmp(start, text.utf8Start, bytes.count) == 0
    }

    private static func number(_ text: UnsafeRawBufferPointer) -> Int? {
        text.count <= 9 ? Int(String(decoding: text, as: UTF8.self)) : nil
    }
}
