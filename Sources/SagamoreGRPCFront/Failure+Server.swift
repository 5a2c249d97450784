internal import SagamoreAPI
internal import SagamoreProtobuf

extension RawMessage<Failure> {
    /// A failure that this server causes and that a retry would not mend.
    static func ofServer(_ message: String, cause: Failure? = nil) -> RawMessage<Failure> {
        var info = ServerFailureInfo()
        info.nonRetryable = true
        var failure = Failure()
        failure.message = message
        failure.cause = cause
        failure.failureInfo = .serverFailureInfo(info)
        return RawMessage(failure)
    }

    /// What takes the place of this failure when it is too large: the server's own, and as its cause what matters most
    /// of this one.
    func ofServerInstead() -> RawMessage<Failure> {
        let message = "Failure exceeds size limit."
        guard let original = try? decoded() else { return .ofServer(message) }
        var cause = Failure()
        cause.message = original.message.prefix(utf8: longestMessage)
        cause.source = original.source.prefix(utf8: longestMessage)
        if case .applicationFailureInfo(let given)? = original.failureInfo {
            var info = ApplicationFailureInfo()
            info.type = given.type.prefix(utf8: longestMessage)
            info.nonRetryable = given.nonRetryable
            cause.failureInfo = .applicationFailureInfo(info)
        }
        return .ofServer(message, cause: cause)
    }
}

/// In bytes: enough for a person to see what it was.
private let longestMessage = 4_000

extension String {
    /// The longest start of this text that takes at most so many bytes in UTF-8.
    func prefix(utf8 limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
