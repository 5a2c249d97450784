public import SagamoreEngine

/// Something in the world that can be killed or paused as a whole: a server, a worker, the database.
///
/// Unchecked: the whole world runs in one thread.
public final class SimulatedProcess: @unchecked Sendable {
    /// What the log calls it.
    public let name: String
    /// The number of times that it was killed. Steps of an earlier life do not run.
    public private(set) var life = 0
    /// Until when none of its steps run.
    public private(set) var pausedUntil: Instant?
    /// How far its wall clock is ahead of true time.
    public var clockOffset = Interval.zero

    /// A process that runs from now on.
    public init(_ name: String) { self.name = name }

    /// Ends its life at once: none of the steps that it scheduled runs any more.
    public func kill() {
        life += 1
        pausedUntil = nil
    }

    /// Keeps its steps from running until then, as a stopped virtual machine does. A longer pause stays as it is: steps
    /// that were put off until its end would come late.
    public func pause(until instant: Instant) { pausedUntil = max(pausedUntil ?? instant, instant) }
}
