internal import SagamoreEngine
internal import SagamoreThreads

/// The monotonic clock of the system as an `Instant`, for `HistoryEnvironment`. Its zero is arbitrary.
enum SteadyClock {
    static func now() -> Instant { Instant(nanoseconds: MonotonicTime.now.nanoseconds) }
}
