internal import Glibc
internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreJSONText

/// How far a batch is, in a line: `1200 of 5000 done, 3 failed, 48/s, 1m20s left`.
struct BatchProgress {
    /// What was done when it was first seen, from where the rate counts.
    private var first: (done: Int64, at: Duration)?

    /// - Parameter time: since any moment.
    mutating func line(_ batch: DescribeBatchOperationResponse, at time: Duration) -> String {
        let done = batch.doneCount
        var parts = ["\(done) of \(max(batch.totalOperationCount, done)) done"]
        if batch.failureOperationCount > 0 { parts.append("\(batch.failureOperationCount) failed") }
        guard let first else {
            self.first = (done, time)
            return parts.joined(separator: ", ")
        }
        let seconds = (time - first.at) / .seconds(1)
        guard batch.state == .running, seconds > 0, done > first.done else { return parts.joined(separator: ", ") }
        let rate = Double(done - first.done) / seconds
        parts.append(rate < 10 ? "\((rate * 10).rounded() / 10)/s" : "\(Int64(rate.rounded()))/s")
        let left = Double(max(batch.totalOperationCount - done, 0)) / rate
        if left > 0, left < 1e9 { parts.append("\(GoDuration.string(.seconds(Int64(left.rounded(.up))))) left") }
        return parts.joined(separator: ", ")
    }
}

extension DescribeBatchOperationResponse {
    /// How many runs it has come past.
    fileprivate var doneCount: Int64 { completeOperationCount + failureOperationCount }
}

/// Waits for the end of a batch.
struct BatchFollowing {
    let jobID: String
    let client: ServiceClient

    private static let pause = Duration.milliseconds(500)

    func describe() async throws(CommandFailure) -> DescribeBatchOperationResponse {
        var request = DescribeBatchOperationRequest()
        request.namespace = client.namespace
        request.jobID = jobID
        return try await client.call(.describeBatchOperation, request)
    }

    /// Waits, with a line of progress that is written anew where standard error is a terminal.
    ///
    /// - Returns: the batch at its end.
    func run() async throws(CommandFailure) -> DescribeBatchOperationResponse {
        let isTerminal = isatty(2) == 1
        let begin = ContinuousClock.now
        var progress = BatchProgress()
        while true {
            let batch = try await describe()
            if isTerminal {
                let line = progress.line(batch, at: begin.duration(to: .now))
                StandardError.write("\r\u{1b}[K\(line)\(batch.state == .running ? "" : "\n")")
            }
            if batch.state != .running { return batch }
            // Nobody cancels the task of a command.
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// - Throws: `CommandFailure` unless the batch came to its end and every run did what it should.
    static func check(_ batch: DescribeBatchOperationResponse) throws(CommandFailure) {
        guard batch.state == .completed else { throw CommandFailure("the batch '\(batch.jobID)' did not complete") }
        guard batch.failureOperationCount == 0 else {
            throw CommandFailure("\(batch.failureOperationCount) operations of the batch '\(batch.jobID)' failed")
        }
    }
}
