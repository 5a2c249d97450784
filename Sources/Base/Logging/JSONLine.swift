/// The format for machines: one JSON object with keys in a fixed order.
///
/// Rooms of this group do not import the JSON room, so the few necessary lines are here.
enum JSONLine {
    static func append(_ record: LogRecord, to line: inout [UInt8]) {
        line.append(contentsOf: #"{"label":"#.utf8)
        appendString(record.label, to: &line)
        line.append(contentsOf: #","level":""#.utf8)
        line.append(contentsOf: record.level.rawValue.utf8)
        line.append(contentsOf: #"","message":"#.utf8)
        appendString(record.message, to: &line)
        if !record.metadata.isEmpty {
            line.append(contentsOf: #","metadata":"#.utf8)
            appendObject(record.metadata, to: &line)
        }
        line.append(contentsOf: #","time":""#.utf8)
        record.time.append(to: &line)
        line.append(contentsOf: #""}"#.utf8)
    }

    private static func appendValue(_ value: Logger.MetadataValue, to line: inout [UInt8]) {
        switch value {
        case .string(let text): appendString(text, to: &line)
        case .stringConvertible(let value): appendString(value.description, to: &line)
        case .array(let values):
            line.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                appendValue(value, to: &line)
            }
            line.append(UInt8(ascii: "]"))
        case .dictionary(let values): appendObject(values.sorted { $0.key < $1.key }, to: &line)
        }
    }

    private static func appendObject(_ members: [(key: String, value: Logger.MetadataValue)], to line: inout [UInt8]) {
        line.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            appendString(member.key, to: &line)
            line.append(UInt8(ascii: ":"))
            appendValue(member.value, to: &line)
        }
        line.append(UInt8(ascii: "}"))
    }

    private static func appendString(_ text: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case 0x22: line.append(contentsOf: #"\""#.utf8)
            case 0x5C: line.append(contentsOf: #"\\"#.utf8)
            case 0x0A: line.append(contentsOf: #"\n"#.utf8)
            case 0x0D: line.append(contentsOf: #"\r"#.utf8)
            case 0x09: line.append(contentsOf: #"\t"#.utf8)
            case 0..<0x20:
                line.append(contentsOf: #"\u00"#.utf8)
                line.append(hexadecimalDigits[Int(byte >> 4)])
                line.append(hexadecimalDigits[Int(byte & 15)])
            default: line.append(byte)
            }
        }
        line.append(UInt8(ascii: "\""))
    }

    private static let hexadecimalDigits = Array("0123456789abcdef".utf8)
}
