internal import Glibc

/// Where results go. Unbuffered, so that whoever reads a pipe sees each line when it is there.
enum StandardOutput {
    /// Whether people look at it directly.
    static let isTerminal = isatty(1) == 1

    /// Writes all of the text. False when nobody reads it any more.
    @discardableResult
    static func write(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return false }
            rest = rest.dropFirst(written)
        }
        return true
    }

    /// Writes a result of a command that is of no use without its reader: where that has gone away (`head`), the
    /// program ends quietly.
    static func show(_ text: String) {
        if !write(text) { exit(0) }
    }
}
