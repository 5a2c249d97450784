internal import Glibc
internal import SagamoreEngine

/// What a lane waits for before its next step.
enum LaneWait: Equatable {
    case nothing
    /// Until then.
    case pause(until: Instant)
    /// Until then, or until the service is told to stop.
    case pauseOrStop(until: Instant)
    /// Until then, or until an item is queued for which the queue wakes the lane, or until the service is told to stop.
    case items(until: Instant)

    /// How often a waiting lane checks whether it has to stop. One that has been told to asks no more often, either.
    static let stopCheck = Interval.milliseconds(50)
}

/// A lane with a thread of its own.
extension CommitLane {
    /// Blocks until the lane has ended.
    func run() {
        let clock = shard.steadyClock
        while let wait = step() {
            switch wait {
            case .nothing: continue
            case .pause(let until): sleep(until - clock())
            case .items(let until): shard.lane.waitForItems((until - clock()).nanoseconds)
            case .pauseOrStop(let until):
                while clock() < until, !shard.lane.isStopped { sleep(min(until - clock(), LaneWait.stopCheck)) }
                if clock() < until { sleep(LaneWait.stopCheck) }
            }
        }
    }

    private func sleep(_ length: Interval) {
        // `usleep` does not accept a negative time.
        usleep(UInt32(max(length.nanoseconds, 0) / 1_000))
    }
}
