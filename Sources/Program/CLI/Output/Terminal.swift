internal import Glibc

/// Terminal colors.
enum Color: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case faint = "2"
    case bold = "1"

    /// Whether to use colors: standard output is a terminal, and neither `NO_COLOR` nor `TERM=dumb` is set.
    static let isOn: Bool = {
        guard StandardOutput.isTerminal, getenv("NO_COLOR") == nil, let term = getenv("TERM") else { return false }
        return strcmp(term, "dumb") != 0
    }()

    /// The text in this color, if colors are enabled.
    func paint(_ text: String, isOn: Bool = Color.isOn) -> String {
        isOn ? "\u{1b}[\(rawValue)m\(text)\u{1b}[0m" : text
    }
}

/// The width of the terminal.
enum TerminalWidth {
    /// Nil when standard output is not a terminal.
    static var ofStandardOutput: Int? { TerminalSize.ofStandardOutput.map { Int($0.ws_col) } }
}

/// The height of the terminal.
enum TerminalHeight {
    /// Nil when standard output is not a terminal.
    static var ofStandardOutput: Int? { TerminalSize.ofStandardOutput.map { Int($0.ws_row) } }
}

private enum TerminalSize {
    static var ofStandardOutput: winsize? {
        var size = winsize()
        guard StandardOutput.isTerminal, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return size
    }
}

extension String {
    /// The text padded with spaces to at least `width` characters.
    func padded(to width: Int) -> String {
        let missing = width - count
        return missing > 0 ? self + String(repeating: " ", count: missing) : self
    }

    /// The text in one line: control characters, which would affect the terminal, become spaces.
    var printable: String {
        guard unicodeScalars.contains(where: { $0.isControl }) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.map { $0.isControl ? " " : $0 }))
    }

    /// The words of a name in capitals, without its prefix: `TimedOut` for `…_STATUS_TIMED_OUT`.
    func inCamelCase(without prefix: String) -> String {
        let words = hasPrefix(prefix) ? dropFirst(prefix.count) : self[...]
        return words.split(separator: "_").map { $0.prefix(1) + $0.dropFirst().lowercased() }.joined()
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
