internal import Glibc
internal import SagamoreEngine

/// Time that never jumps, whatever is done to the clock: for leases and pauses. Its zero is arbitrary.
enum SteadyClock {
    static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
