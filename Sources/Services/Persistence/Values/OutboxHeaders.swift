public import SagamoreProtobuf
public import SagamoreServices

/// A record's headers as bytes: protobuf, a repeated field 1 of name (1) and value (2), which is absent for null.
public enum OutboxHeaders {
    /// The headers as bytes; none for no headers.
    public static func encode(_ headers: [OutboxRecord.Header]) -> [UInt8] {
        guard !headers.isEmpty else { return [] }
        var writer = ProtobufWriter(capacity: 128)
        for header in headers.reversed() {
            let end = writer.count
            if let value = header.value { writer.bytes(2, value) }
            writer.string(1, header.name)
            writer.lengthDelimited(1, since: end)
        }
        return writer.bytes()
    }

    /// Reads what `encode` wrote. Throws when the bytes are damaged.
    public static func decode(_ bytes: [UInt8]) throws(ProtobufError) -> [OutboxRecord.Header] {
        try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in
            var headers: [OutboxRecord.Header] = []
            while try reader.nextTag() != nil {
                let scope = try reader.enter()
                var name = ""
                var value: [UInt8]?
                while try reader.nextTag() != nil {
                    switch reader.fieldNumber {
                    case 1: name = try reader.string()
                    case 2: value = try reader.bytes()
                    default: try reader.skip()
                    }
                }
                reader.leave(scope)
                headers.append(OutboxRecord.Header(name: name, value: value))
            }
            return headers
        }
    }
}
