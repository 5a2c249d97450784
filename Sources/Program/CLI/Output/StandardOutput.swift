internal import Glibc
internal import SagamoreCommandLineArguments

/// Where results go. Unbuffered, so that whoever reads a pipe sees each line when it is there.
enum StandardOutput {
    /// Whether people look at it directly.
    static let isTerminal = isatty(1) == 1

    /// Writes all of the text.
    ///
    /// - Returns: the system's error that was in the way; 0 for none.
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

    /// Writes a result. Where it can't be written, the program says so and ends with 1.
    ///
    /// - Parameter needsReader: the command is of no use without its reader: where that has gone away (`head`), the
    ///   program ends quietly. Else the command goes on, since what it ends with tells something, too.
    static func show(_ text: String, needsReader: Bool = true) {
        let error = write(text)
        if error == 0 || (error == EPIPE && !needsReader) { return }
        if error == EPIPE { exit(ExitCode.success.code) }
        StandardError.write("sagamore: cannot write the output: \(String(cString: strerror(error)))\n")
        exit(ExitCode.failure.code)
    }
}

/// Why a command failed, for people: what is wrong and what to do next.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
