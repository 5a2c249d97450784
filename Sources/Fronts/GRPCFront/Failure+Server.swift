internal import SagamoreAPI
internal import SagamoreProtobuf

extension RawMessage<Failure> {
    /// A failure caused by the server that a retry would not fix.
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
    /// The longest prefix of this text that takes at most this many bytes in UTF-8.
    func prefix(utf8 limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
