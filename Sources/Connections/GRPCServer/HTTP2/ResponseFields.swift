internal import CSagamoreHTTP2
internal import CSagamoreTLS
internal import SagamoreGRPC

/// Header fields of responses, in the form of nghttp2.
enum ResponseFields {
    typealias Fields = UnsafeMutableBufferPointer<nghttp2_nv>

    /// The headers of a response with a message. Unchecked, like `success`: created once, never changed or freed.
    nonisolated(unsafe) static let head = lasting([status200, contentType, accepts])
    /// The trailers of a response with a message.
    nonisolated(unsafe) static let success = lasting([ok])

    private static func lasting(_ fields: [nghttp2_nv]) -> Fields {
        let place = Fields.allocate(capacity: fields.count)
        _ = place.initialize(from: fields)
        return place
    }

    /// A field with a static text, which is neither copied nor freed.
    private static func constant(_ name: StaticString, _ value: StaticString) -> nghttp2_nv {
        nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start),
            value: UnsafeMutablePointer(mutating: value.utf8Start),
            namelen: name.utf8CodeUnitCount,
            valuelen: value.utf8CodeUnitCount,
            flags: UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        )
    }

    private static var status200: nghttp2_nv { constant(":status", "200") }
    private static var contentType: nghttp2_nv { constant("content-type", "application/grpc") }
    private static var accepts: nghttp2_nv { constant("grpc-accept-encoding", "identity,deflate,gzip") }
    private static var ok: nghttp2_nv { constant("grpc-status", "0") }

    /// A response with a status and no message.
    static func withStatus<Result>(
        _ status: GRPCStatus,
        _ body: (Fields) -> Result
    ) -> Result {
        var dynamic = [(key: "grpc-status", value: Array(String(status.code.rawValue).utf8))]
        if !status.message.isEmpty { dynamic.append(("grpc-message", percentEncoded(status.message))) }
        if let details = status.details { dynamic.append(("grpc-status-details-bin", details)) }
        return withFields([status200, contentType, accepts], dynamic, body)
    }

    /// The response to a request that is not a gRPC call.
    static func withHTTPStatus<Result>(
        _ status: StaticString,
        _ body: (Fields) -> Result
    ) -> Result {
        withFields([constant(":status", status)], [], body)
    }

    private static func withFields<Result>(
        _ constants: [nghttp2_nv],
        _ dynamic: [(key: String, value: [UInt8])],
        _ body: (Fields) -> Result
    ) -> Result {
        var fields = constants
        // One allocation for all names and values. nghttp2 copies them while `body` runs.
        var text: [UInt8] = []
        var lengths: [(name: Int, value: Int)] = []
        for (key, value) in dynamic {
            let value = key.hasSuffix("-bin") ? BinaryField.encoded(value) : value
            text.append(contentsOf: key.utf8)
            text.append(contentsOf: value)
            lengths.append((key.utf8.count, value.count))
        }
        return text.withUnsafeMutableBufferPointer { text in
            var start = text.baseAddress
            for (name, value) in lengths {
                fields.append(
                    nghttp2_nv(
                        name: start,
                        value: start.map { $0 + name },
                        namelen: name,
                        valuelen: value,
                        // Values that always differ would only evict others from the client's table.
                        flags: UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue)
                    )
                )
                start = start.map { $0 + name + value }
            }
            return fields.withUnsafeMutableBufferPointer { body($0) }
        }
    }

    /// gRPC's encoding of status messages: bytes that are not printable ASCII, and `%`, as `%` and two digits.
    static func percentEncoded(_ message: String) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        encoded.reserveCapacity(message.utf8.count)
        for byte in message.utf8 {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                encoded.append(byte)
            } else {
                encoded.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
        return encoded
    }
}

/// The values of fields whose names end in `-bin`: base64, sent without padding, accepted with or without it.
enum BinaryField {
    static func encoded(_ bytes: [UInt8]) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        let padding = (3 - bytes.count % 3) % 3
        return Array(text[..<(Int(count) - padding)])
    }

    /// Decodes the first value of the field; nil when it is not valid base64.
    static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let value = text.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }
        guard value.count % 4 != 1 else { return nil }
        let padding = (4 - value.count % 4) % 4
        let padded = Array(value) + Array(repeating: UInt8(ascii: "="), count: padding)
        var bytes = [UInt8](repeating: 0, count: padded.count / 4 * 3)
        let count = EVP_DecodeBlock(&bytes, padded, Int32(padded.count))
        guard count >= 0 else { return nil }
        return Array(bytes[..<(Int(count) - padding)])
    }
}
