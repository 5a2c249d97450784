/// An invalid command line. The program prints the reason to standard error and exits with status 2.
public struct UsageError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, in one sentence without a full stop.
    public let message: String

    /// A suggestion, if there is one: `Did you mean '--port'?`
    public let hint: String?

    /// - Parameters:
    ///   - message: What is wrong, in one sentence without a full stop.
    ///   - hint: A suggestion.
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

/// Exits a command with a status after it has reported the reason itself.
public struct ExitCode: Error, Equatable {
    /// The status of the process.
    public let code: Int32

    /// - Parameter code: The status of the process.
    public init(_ code: Int32) {
        self.code = code
    }

    /// 0: success.
    public static let success = ExitCode(0)
    /// 1: refused or failed.
    public static let failure = ExitCode(1)
    /// 2: the command line was invalid.
    public static let usage = ExitCode(2)
}
