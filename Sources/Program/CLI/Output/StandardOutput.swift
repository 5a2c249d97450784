internal import Glibc
internal import SagamoreCommandLineArguments

/// Standard output, for results. It is unbuffered, so that the reader of a pipe sees each line at once.
enum StandardOutput {
    /// Whether it is a terminal.
    static let isTerminal = isatty(1) == 1

    /// Writes the text.
    ///
    /// - Returns: the system's error number; 0 for success.
    @discardableResult
    static func write(_ text: String) -> Int32 {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return written < 0 ? errno : EIO }
            rest = rest.dropFirst(written)
        }
        return 0
    }

    /// Writes a result. On failure the program reports the error and exits with 1.
    ///
    /// - Parameter needsReader: whether the command is useless without its reader. If so, the program exits quietly
    ///   when the reader has gone (`head`). Otherwise the command continues, since its exit status matters too.
    static func show(_ text: String, needsReader: Bool = true) {
        let error = write(text)
        if error == 0 || (error == EPIPE && !needsReader) { return }
        if error == EPIPE { exit(ExitCode.success.code) }
        StandardError.write("sagamore: cannot write the output: \(String(cString: strerror(error)))\n")
        exit(ExitCode.failure.code)
    }
}

/// Why a command failed, for people: the problem, and what to do about it.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
