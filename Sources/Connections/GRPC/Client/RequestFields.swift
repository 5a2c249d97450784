internal import CSagamoreHTTP2

/// The header fields of a channel's requests.
struct RequestFields: Sendable {
    private let scheme: StaticString
    private let metadata: [(name: String, value: [UInt8])]
    private let isCompressed: Bool

    private static let userAgent: StaticString = "sagamore-swift/0.1"

    init(_ configuration: GRPCChannelConfiguration) {
        scheme = configuration.tls == nil ? "http" : "https"
        metadata = Self.converted(configuration.metadata)
        isCompressed = configuration.compressesRequests
    }

    private static func converted(_ metadata: GRPCChannelConfiguration.Metadata) -> [(name: String, value: [UInt8])] {
        metadata.map { ($0.0.lowercased(), Array($0.1.utf8)) }
    }

    /// Why metadata cannot be sent; nil when it can.
    func problem(with own: GRPCChannelConfiguration.Metadata) -> GRPCStatus? {
        for (name, value) in metadata + Self.converted(own) {
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isAllowedInName) else {
                return GRPCStatus(
                    .invalidArgument,
                    "cannot start the call: the metadata's name \(name.debugDescription) may have letters, digits, "
                        + "and . _ - alone"
                )
            }
            guard name.hasSuffix("-bin") || value.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                return GRPCStatus(
                    .invalidArgument,
                    "cannot start the call: the metadata's value of \(name) is not printable ASCII"
                )
            }
        }
        return nil
    }

    private static func isAllowedInName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    /// - Parameter timeout: the time until the deadline.
    func with<Result>(
        _ path: String,
        authority: String,
        timeout: Duration?,
        metadata own: GRPCChannelConfiguration.Metadata,
        _ body: (HeaderFields.List) -> Result
    ) -> Result {
        var fields: [HeaderFields.Field] = [
            .constant(HeaderFields.constant(":method", "POST")),
            .constant(HeaderFields.constant(":scheme", scheme)),
            .text(":path", Array(path.utf8), isRepeated: true),
            .text(":authority", Array(authority.utf8), isRepeated: true),
            .constant(HeaderFields.constant("te", "trailers")),
            .constant(HeaderFields.constant("content-type", "application/grpc")),
            .constant(HeaderFields.constant("user-agent", Self.userAgent)),
            .constant(HeaderFields.constant("grpc-accept-encoding", "identity,deflate,gzip")),
        ]
        if isCompressed { fields.append(.constant(HeaderFields.constant("grpc-encoding", "gzip"))) }
        if let timeout { fields.append(.text("grpc-timeout", Self.text(timeout), isRepeated: false)) }
        for (name, value) in metadata { fields.append(.text(name, value, isRepeated: true)) }
        for (name, value) in Self.converted(own) { fields.append(.text(name, value, isRepeated: false)) }
        return HeaderFields.with(fields, body)
    }

    /// At most eight digits and a unit, rounded up: the server does not end a call before its client.
    static func text(_ timeout: Duration) -> [UInt8] {
        let units: [(Character, Duration)] = [
            ("u", .microseconds(1)), ("m", .milliseconds(1)), ("S", .seconds(1)), ("M", .seconds(60)),
            ("H", .seconds(3600)),
        ]
        for (unit, length) in units {
            let count = (max(.zero, timeout) / length).rounded(.up)
            if count < 100_000_000 { return Array("\(Int(count))\(unit)".utf8) }
        }
        return Array("99999999H".utf8)
    }
}
