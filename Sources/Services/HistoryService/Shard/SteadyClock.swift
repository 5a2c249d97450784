internal import Glibc
internal import SagamoreEngine

/// The clock of the system that never jumps, for `HistoryEnvironment`. Its zero is arbitrary. It goes on while the
/// machine sleeps: a lease does not wait for its owner to wake up.
enum SteadyClock {
    static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
