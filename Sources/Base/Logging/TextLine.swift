/// The format for people: `TIME LEVEL LABEL MESSAGE KEY=VALUE …`.
enum TextLine {
    static func append(_ record: LogRecord, colors: Bool, to line: inout [UInt8]) {
        let paint = Paint(colors: colors)
        paint.dim(&line) { record.time.append(to: &$0) }
        line.append(space)
        paint.level(record.level, &line) { line in
            line.append(contentsOf: record.level.name.utf8)
        }
        for _ in record.level.name.utf8.count..<Logger.Level.longestName { line.append(space) }
        line.append(space)
        paint.dim(&line) { appendVisible(record.label, to: &$0) }
        line.append(space)
        appendVisible(record.message, to: &line)
        for (key, value) in record.metadata {
            line.append(space)
            paint.dim(&line) { line in
                appendVisible(key, to: &line)
                line.append(UInt8(ascii: "="))
            }
            appendValue(value.description, to: &line)
        }
    }

    /// Quotes values that are empty or could be read as several words.
    private static func appendValue(_ value: String, to line: inout [UInt8]) {
        let needsQuotes = value.isEmpty || value.utf8.contains { $0 == space || $0 == quote || $0 == equals }
        guard needsQuotes else { return appendVisible(value, to: &line) }
        line.append(quote)
        appendVisible(value, escapingQuotes: true, to: &line)
        line.append(quote)
    }

    /// Escapes control characters, so that a line stays one line and no text can control the reader's terminal.
    private static func appendVisible(_ text: String, escapingQuotes: Bool = false, to line: inout [UInt8]) {
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A: line.append(contentsOf: "\\n".utf8)
            case 0x0D: line.append(contentsOf: "\\r".utf8)
            case 0x09: line.append(contentsOf: "\\t".utf8)
            case 0x22 where escapingQuotes: line.append(contentsOf: "\\\"".utf8)
            case 0x00..<0x20, 0x7F..<0xA0, 0x2028, 0x2029:
                line.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".utf8)
            default: line.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
    }

    private static let space = UInt8(ascii: " ")
    private static let quote = UInt8(ascii: "\"")
    private static let equals = UInt8(ascii: "=")
}

/// Wraps text in terminal colors if enabled.
private struct Paint {
    let colors: Bool

    func dim(_ line: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        wrap("\u{1B}[2m", &line, body)
    }

    func level(_ level: Logger.Level, _ line: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        switch level {
        case .trace, .debug: wrap("\u{1B}[2m", &line, body)
        case .info: wrap("\u{1B}[32m", &line, body)
        case .notice: wrap("\u{1B}[36m", &line, body)
        case .warning: wrap("\u{1B}[33m", &line, body)
        case .error: wrap("\u{1B}[31m", &line, body)
        case .critical: wrap("\u{1B}[1;31m", &line, body)
        }
    }

    private func wrap(_ start: String, _ line: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        if colors { line.append(contentsOf: start.utf8) }
        body(&line)
        if colors { line.append(contentsOf: "\u{1B}[0m".utf8) }
    }
}

extension Logger.Level {
    fileprivate var name: String { rawValue }

    fileprivate static let longestName = 8
}
