/// A command line that can't be followed. The program says why on standard error and ends with status 2.
public struct UsageError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, in one sentence without a full stop.
    public let message: String

    /// What to do about it, if there is a guess: `Did you mean '--port'?`
    public let hint: String?

    /// - Parameters:
    ///   - message: What is wrong, in one sentence without a full stop.
    ///   - hint: What to do about it.
    public init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    /// Message and hint.
    public var description: String {
        guard let hint else { return message }
        return "\(message). \(hint)"
    }
}

/// Ends a command with a status after it has said by itself whatever there is to say.
public struct ExitCode: Error, Equatable {
    /// The status of the process.
    public let code: Int32

    /// - Parameter code: The status of the process.
    public init(_ code: Int32) {
        self.code = code
    }

    /// 0: done.
    public static let success = ExitCode(0)
    /// 1: refused or failed.
    public static let failure = ExitCode(1)
    /// 2: the command line was wrong.
    public static let usage = ExitCode(2)
}
