public import SagamoreEngine

/// How often the network misbehaves. Rates are from 0 (never) to 1 (always).
public struct NetworkFaults: Sendable {
    /// Requests that never arrive.
    public var lostRequests = 0.0
    /// Answers that never arrive, although the request took effect.
    public var lostAnswers = 0.0
    /// Requests that arrive twice.
    public var repeatedRequests = 0.0
    /// Requests and answers that take up to `longestDelay`.
    public var delays = 0.0
    /// The longest delay.
    public var longestDelay = Interval.seconds(15)
    /// The usual time of a request or an answer is between zero and this.
    public var latency = Interval.milliseconds(1)

    /// A network without faults.
    public init() {}

    /// A network with all faults, each at this rate.
    public init(rate: Double) {
        lostRequests = rate
        lostAnswers = rate
        repeatedRequests = rate
        delays = rate
    }
}

extension Interval {
    static func + (left: Interval, right: Interval) -> Interval {
        Interval(nanoseconds: left.nanoseconds + right.nanoseconds)
    }
}
