internal import CSagamoreGRPC

extension gpr_timespec {
    /// The instant so far from now, by the monotonic clock; nil: never.
    init(fromNow limit: Duration?) {
        guard let limit, limit < .seconds(3_153_600_000) else {
            self = gpr_inf_future(GPR_CLOCK_MONOTONIC)
            return
        }
        let parts = max(.zero, limit).components
        let span = gpr_timespec(
            tv_sec: parts.seconds,
            tv_nsec: Int32(parts.attoseconds / 1_000_000_000),
            clock_type: GPR_TIMESPAN
        )
        self = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), span)
    }

    /// How long it is until this instant (negative: it has passed); nil: it never comes.
    var fromNow: Duration? {
        if tv_sec == Int64.max { return nil }
        let span = gpr_time_sub(self, gpr_now(clock_type))
        return .seconds(span.tv_sec) + .nanoseconds(Int64(span.tv_nsec))
    }
}
