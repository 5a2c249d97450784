internal import Glibc

/// The header fields of a request, parsed.
struct RequestHead: Sendable {
    /// The compression of the request's message.
    enum Encoding: Sendable, Equatable {
        case identity
        case packed(MessageInflater.Algorithm)
        /// An unsupported encoding, by its name.
        case unknown(String)
    }

    var path = ""
    var isPost = false
    var isGRPC = false
    var encoding = Encoding.identity
    /// The timeout, or nil.
    var timeout: Duration?
    var isTimeoutMalformed = false
    /// The size of names and values, and 32 bytes for each field, as in HTTP/2.
    var size = 0
    var metadata = ReceivedMetadata()

    /// Parses at most eight digits and a unit; nil for anything else.
    static func timeout(_ value: UnsafeRawBufferPointer) -> Duration? {
        guard (2...9).contains(value.count), let unit = value.last else { return nil }
        var number: Int64 = 0
        for byte in value.dropLast() {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        switch unit {
        case UInt8(ascii: "H"): return .seconds(number * 3600)
        case UInt8(ascii: "M"): return .seconds(number * 60)
        case UInt8(ascii: "S"): return .seconds(number)
        case UInt8(ascii: "m"): return .milliseconds(number)
        case UInt8(ascii: "u"): return .microseconds(number)
        case UInt8(ascii: "n"): return .nanoseconds(number)
        default: return nil
        }
    }
}

/// Reads the header fields of requests, one request after the other.
struct RequestHeadReader: ~Copyable {
    private var head = RequestHead()
    private var fields: ReceivedMetadata.Fields
    private let limit: Int

    /// - Parameter limit: the largest size of a request's fields. Fields beyond it are counted but not kept.
    init(limit: Int) {
        self.limit = limit
        fields = ReceivedMetadata.Fields(capacity: limit)
    }

    /// Begins a request.
    mutating func begin() {
        head = RequestHead()
        fields.removeAll()
    }

    /// Ends the fields of a request.
    mutating func end() -> RequestHead {
        head.metadata = ReceivedMetadata(fields)
        return head
    }

    mutating func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        head.size += name.count + value.count + 32
        guard head.size <= limit else { return }
        // Most fields belong to the application, which their length shows.
        switch name.count {
        case 2 where Self.same(name, "te"): break
        case 5 where Self.same(name, ":path"): head.path = String(decoding: value, as: UTF8.self)
        case 7 where Self.same(name, ":method"): head.isPost = Self.same(value, "POST")
        case 7 where Self.same(name, ":scheme"): break
        case 10 where Self.same(name, ":authority"): break
        case 12 where Self.same(name, "content-type"): head.isGRPC = Self.isGRPC(contentType: value)
        case 12 where Self.same(name, "grpc-timeout"):
            head.timeout = RequestHead.timeout(value)
            head.isTimeoutMalformed = head.timeout == nil
        case 13 where Self.same(name, "grpc-encoding"): head.encoding = Self.encoding(value)
        case 20 where Self.same(name, "grpc-accept-encoding"): break
        default: fields.append(name, value)
        }
    }

    private static func same(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard let start = bytes.baseAddress, bytes.count == text.utf8CodeUnitCount else { return false }
        return memcmp(start, text.utf8Start, bytes.count) == 0
    }

    /// Whether it is `application/grpc`, alone or followed by a format (`+proto`) or parameters.
    private static func isGRPC(contentType: UnsafeRawBufferPointer) -> Bool {
        let name: StaticString = "application/grpc"
        let length = name.utf8CodeUnitCount
        guard contentType.count >= length, same(UnsafeRawBufferPointer(rebasing: contentType[..<length]), name) else {
            return false
        }
        return contentType.count == length || contentType[length] == UInt8(ascii: "+")
            || contentType[length] == UInt8(ascii: ";")
    }

    private static func encoding(_ value: UnsafeRawBufferPointer) -> RequestHead.Encoding {
        if same(value, "gzip") { return .packed(.gzip) }
        if same(value, "deflate") { return .packed(.deflate) }
        if same(value, "identity") { return .identity }
        return .unknown(String(decoding: value.prefix(100), as: UTF8.self))
    }
}
