public import SagamoreAPI
public import SagamoreProtobuf

/// Decides whether a failed attempt is retried, and after which delay.
enum RetryRules {
    enum Verdict: Equatable {
        case retry(after: Interval)
        case give(up: RetryState)
    }

    /// Completes a policy with Temporal's defaults: 1 s, ×2, at most 100 times the first interval, no limit.
    static func withDefaults(_ policy: RetryPolicy?) -> RetryPolicy {
        var policy = policy ?? RetryPolicy()
        var initial = Interval(policy.initialInterval)
        if !initial.isSet { initial = .seconds(1) }
        policy.initialInterval = initial.duration
        if policy.backoffCoefficient == 0 { policy.backoffCoefficient = 2 }
        if !Interval(policy.maximumInterval).isSet {
            policy.maximumInterval = scaled(initial, by: 100).duration
        }
        return policy
    }

    /// What is wrong with a completed policy, in words; nil when it is valid.
    static func problem(_ policy: RetryPolicy) -> String? {
        // Without retries the other fields do not matter.
        if policy.maximumAttempts == 1 { return nil }
        if let initial = policy.initialInterval, initial.seconds < 0 || initial.nanos < 0 {
            return "invalid InitialInterval set on retry policy: negative duration"
        }
        let whole = withDefaults(policy)
        if !(whole.backoffCoefficient >= 1) { return "BackoffCoefficient cannot be less than 1 on retry policy." }
        if let maximum = policy.maximumInterval, maximum.seconds < 0 || maximum.nanos < 0 {
            return "invalid MaximumInterval set on retry policy: negative duration"
        }
        if Interval(whole.maximumInterval) < Interval(whole.initialInterval) {
            return "MaximumInterval cannot be less than InitialInterval on retry policy."
        }
        if policy.maximumAttempts < 0 { return "MaximumAttempts cannot be negative on retry policy." }
        for type in policy.nonRetryableErrorTypes {
            if let wrong = wrongTimeout(type) { return "Invalid timeout type value: \(wrong)." }
        }
        return nil
    }

    /// The name after the timeout prefix of an error type when no timeout has that name, short or full; nil for others.
    private static func wrongTimeout(_ errorType: String) -> String? {
        guard errorType.hasPrefix(timeoutPrefix) else { return nil }
        let name = String(errorType.dropFirst(timeoutPrefix.count))
        let known: [TimeoutType] = [.startToClose, .scheduleToStart, .scheduleToClose, .heartbeat]
        let isKnown = known.contains { $0.description == name || mixedCase($0, prefix: "TIMEOUT_TYPE_") == name }
        return isKnown ? nil : name
    }

    /// The prefix of error types that mean a timeout.
    private static let timeoutPrefix = "TemporalTimeout:"

    /// The verdict on attempt number `attempt`, which failed at `now`.
    ///
    /// - Parameter capsWishes: whether a pause that the failure wishes for is capped like the policy's own.
    static func verdict(
        _ policy: RetryPolicy,
        attempt: Int32,
        failure: Failure,
        deadline: Instant,
        now: Instant,
        capsWishes: Bool = false
    ) -> Verdict {
        if case .timeoutFailureInfo(let info) = failure.failureInfo, info.timeoutType.endsActivity {
            return .give(up: .timeout)
        }
        if isFinal(failure, policy.nonRetryableErrorTypes) { return .give(up: .nonRetryableFailure) }
        if policy.maximumAttempts > 0, attempt >= policy.maximumAttempts { return .give(up: .maximumAttemptsReached) }
        var pause = interval(policy, attempt: attempt)
        if case .applicationFailureInfo(let info) = failure.failureInfo, let wished = info.nextRetryDelay {
            pause = Interval(wished)
            let maximum = Interval(policy.maximumInterval)
            if capsWishes, maximum.isSet, !pause.isSet || pause > maximum { pause = maximum }
        }
        if now + pause > deadline { return .give(up: .timeout) }
        return .retry(after: pause)
    }

    /// The delay after attempt number `attempt`.
    static func interval(_ policy: RetryPolicy, attempt: Int32) -> Interval {
        let initial = Interval(policy.initialInterval)
        let maximum = Interval(policy.maximumInterval)
        var factor = 1.0
        for _ in 1..<max(attempt, 1) {
            factor *= policy.backoffCoefficient
            if factor > 1e15 { break }
        }
        let interval = scaled(initial, by: factor)
        return maximum.isSet ? min(interval, maximum) : interval
    }

    /// The extension of a workflow task's timeout in later attempts. Workers let a failing task time out, so this is
    /// the delay before the next attempt. Temporal: none for three attempts, then 5 s, doubling up to 10 min. Its
    /// jitter is left out.
    static func workflowTaskExtension(attempt: Int32) -> Interval {
        guard attempt > 3 else { return .zero }
        // 5 s × 2⁷ exceeds 10 min.
        return min(scaled(.seconds(5), by: Double(1 << min(attempt - 4, 7))), .seconds(600))
    }

    private static func scaled(_ interval: Interval, by factor: Double) -> Interval {
        let product = Double(interval.nanoseconds) * factor
        return Interval(nanoseconds: product < Double(Int64.max) ? Int64(product) : .max)
    }

    /// Whether no further attempt is possible after the failure, whatever else the policy says.
    static func isFinal(_ failure: Failure, _ nonRetryable: [String]) -> Bool {
        switch failure.failureInfo {
        case .terminatedFailureInfo, .canceledFailureInfo:
            true
        case .timeoutFailureInfo(let info):
            nonRetryable.contains(timeoutPrefix + mixedCase(info.timeoutType, prefix: "TIMEOUT_TYPE_"))
        case .serverFailureInfo(let info):
            info.nonRetryable
        case .applicationFailureInfo(let info):
            info.nonRetryable || nonRetryable.contains(info.type)
        default:
            false
        }
    }
}

extension TimeoutType {
    /// Whether no further attempt is possible.
    fileprivate var endsActivity: Bool { self == .scheduleToStart || self == .scheduleToClose }
}

/// A failure reported by the server itself.
func serverFailure(_ message: String, isRetryable: Bool = false, cause: Failure? = nil) -> RawMessage<Failure> {
    var info = ServerFailureInfo()
    info.nonRetryable = !isRetryable
    var failure = Failure()
    failure.message = message
    failure.cause = cause
    failure.failureInfo = .serverFailureInfo(info)
    return RawMessage(failure)
}

func timeoutFailure(
    _ message: String,
    _ type: TimeoutType,
    heartbeat: RawMessage<Payloads>? = nil,
    cause: RawMessage<Failure>? = nil
) -> Failure {
    var info = TimeoutFailureInfo()
    info.timeoutType = type
    info.lastHeartbeatDetails = heartbeat.flatMap { try? $0.decoded() }
    var failure = Failure()
    failure.message = message
    failure.source = "Server"
    failure.failureInfo = .timeoutFailureInfo(info)
    failure.cause = cause.flatMap { try? $0.decoded() }
    return failure
}

extension RawMessage<Failure> {
    /// The replacement for a failure that is too large: the server's own, with a truncated copy as its cause.
    public var tooLarge: RawMessage<Failure> {
        // Temporal's: 512 KiB.
        cut(to: 512 << 10, isRetryable: false)
    }

    /// The server's own failure, with a truncated copy of this one as its cause.
    ///
    /// - Parameter isRetryable: whether the failure is marked retryable. In Temporal it is when kept for a next
    ///   attempt, but not when it ends the activity.
    func cut(to bytes: Int, isRetryable: Bool) -> RawMessage<Failure> {
        let cause = truncated((try? decoded()) ?? Failure(), bytes: bytes)
        return serverFailure("Failure exceeds size limit.", isRetryable: isRetryable, cause: cause)
    }
}

/// Truncates a failure: keeps its kind, and as much of its source, message, stack trace and causes as fits, in this
/// order. As in Temporal, each text and each failure counts 4 extra bytes, and a cause 8.
private func truncated(_ failure: Failure, bytes: Int) -> Failure {
    var kept = Failure()
    if case .applicationFailureInfo(let info) = failure.failureInfo {
        var short = ApplicationFailureInfo()
        short.type = prefix(of: info.type, bytes: 1_000)
        short.nonRetryable = info.nonRetryable
        kept.failureInfo = .applicationFailureInfo(short)
    }
    var room = bytes - kept.serializedBytes().count - 4
    func fitting(_ text: String) -> String {
        guard !text.isEmpty, room > 4 else { return "" }
        let start = prefix(of: text, bytes: room - 4)
        room -= start.utf8.count + 4
        return start
    }
    kept.source = fitting(failure.source)
    kept.message = fitting(failure.message)
    kept.stackTrace = fitting(failure.stackTrace)
    if let cause = failure.cause, room > 8 { kept.cause = truncated(cause, bytes: room - 8) }
    return kept
}

/// The longest prefix of a text with at most this many bytes in UTF-8.
func prefix(of text: String, bytes: Int) -> String {
    let utf8 = text.utf8
    var end = utf8.index(utf8.startIndex, offsetBy: bytes, limitedBy: utf8.endIndex) ?? utf8.endIndex
    while end.samePosition(in: text.unicodeScalars) == nil { end = utf8.index(before: end) }
    return String(text[..<end])
}
