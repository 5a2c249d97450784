internal import Glibc

/// How wide the terminal is.
enum TerminalWidth {
    /// Nil where standard output is no terminal.
    static var ofStandardOutput: Int? {
        var size = winsize()
        guard StandardOutput.isTerminal, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
