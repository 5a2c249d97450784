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
}
