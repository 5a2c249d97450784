package import SagamoreEngine

/// What the history service takes from outside: its clocks and its chance.
package struct HistoryEnvironment: Sendable {
    /// The clock that runs go by. It may jump.
    package var wallClock: @Sendable () -> Instant
    /// The monotonic clock, for leases and pauses. Its zero is arbitrary.
    package var steadyClock: @Sendable () -> Instant
    /// Makes the chance of one shard or lane.
    package var makeRandom: @Sendable () -> RandomSource
    /// Called where other threads may come in between: a shard's lock was released, and what was decided under it is
    /// not carried out yet. Gets what was done under it. Nil but in a simulation.
    package var afterHold: (@Sendable (HoldWork) -> Void)?
    /// What is counted.
    var metrics = HistoryMetrics()

    package init(
        wallClock: @escaping @Sendable () -> Instant,
        steadyClock: @escaping @Sendable () -> Instant,
        makeRandom: @escaping @Sendable () -> RandomSource,
        afterHold: (@Sendable (HoldWork) -> Void)? = nil
    ) {
        self.wallClock = wallClock
        self.steadyClock = steadyClock
        self.makeRandom = makeRandom
        self.afterHold = afterHold
    }

    /// The monotonic clock and the chance of the system.
    static func system(
        wallClock: @escaping @Sendable () -> Instant,
        metrics: HistoryMetrics = HistoryMetrics()
    ) -> HistoryEnvironment {
        var environment = HistoryEnvironment(
            wallClock: wallClock,
            steadyClock: { SteadyClock.now() },
            makeRandom: { RandomSource.fromSystem() }
        )
        environment.metrics = metrics
        return environment
    }
}
