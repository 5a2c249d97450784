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
            var separator = #","metadata":{"#
            for (key, value) in record.metadata {
                line.append(contentsOf: separator.utf8)
                separator = ","
                appendString(key, to: &line)
                line.append(UInt8(ascii: ":"))
                appendString(value, to: &line)
            }
            line.append(UInt8(ascii: "}"))
        }
        line.append(contentsOf: #","time":""#.utf8)
        record.time.append(to: &line)
        line.append(contentsOf: #""}"#.utf8)
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
