public import SagamoreEngine

/// How long the calls of a process have taken within the current step. In the world a call returns at once; the time
/// that it would have taken passes before the process's next step.
///
/// Unchecked: the whole world runs in one thread.
public final class CallTimer: @unchecked Sendable {
    /// The time of all calls of the current step.
    public private(set) var elapsed = Interval.zero

    /// A timer at zero.
    public init() {}

    /// Adds the time of a call.
    public func spend(_ interval: Interval) {
        elapsed = Interval(nanoseconds: elapsed.nanoseconds + interval.nanoseconds)
    }

    func spend(_ duration: Duration) { spend(Interval(duration)) }

    /// Makes a step and returns the time of its calls. Steps of other loops may be made within it.
    func measure(_ step: () -> Void) -> Interval {
        let outer = elapsed
        elapsed = .zero
        defer { elapsed = outer }
        step()
        return elapsed
    }
}

extension Interval {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        // Rounded up: what is scheduled after this time is not early.
        let (whole, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.init(nanoseconds: seconds * 1_000_000_000 + whole + (rest > 0 ? 1 : 0))
    }
}
