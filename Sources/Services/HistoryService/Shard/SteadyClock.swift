internal import SagamoreEngine
internal import SagamoreThreads

/// The monotonic clock as an `Instant`: for leases and pauses. Its zero is arbitrary.
enum SteadyClock {
    static func now() -> Instant { Instant(nanoseconds: MonotonicTime.now.nanoseconds) }
}
