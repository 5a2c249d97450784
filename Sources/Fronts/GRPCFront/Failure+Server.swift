internal import SagamoreAPI
internal import SagamoreProtobuf

extension RawMessage<Failure> {
    /// A failure that this server causes and that a retry would not mend.
    static func ofServer(_ message: String) -> RawMessage<Failure> {
        var info = ServerFailureInfo()
        info.nonRetryable = true
        var failure = Failure()
        failure.message = message
        failure.failureInfo = .serverFailureInfo(info)
        return RawMessage(failure)
    }
}

extension String {
    /// The longest start of this text that takes at most so many bytes in UTF-8.
    func prefix(utf8 limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
