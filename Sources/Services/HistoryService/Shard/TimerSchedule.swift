internal import SagamoreEngine

/// Decides what a shard's timer does next and how long it sleeps. Everything that is due is carried out in parts, so
/// that no hold of the shard's lock is long, however much is due at one moment.
struct TimerSchedule {
    /// What to do in a step, beside what is due for runs.
    struct Step: Equatable {
        /// Let idle runs leave memory, and end waits.
        var sweeps = false
        /// Have the parked runs brought back whose alarm is near.
        var wakesParked = false
        /// Have a part deleted of what is past its retention.
        var retains = false
    }

    /// How a step ended.
    struct Outcome {
        var isOwned = false
        /// The lane cannot commit.
        var isStalled = false
        /// Much waits to be committed: what is due waits too.
        var isLaneFull = false
        /// There were more idle runs than one sweep looks at.
        var isSweepPartial = false
        /// When the next run is due.
        var earliest: Instant?
    }

    enum Wait: Equatable {
        /// There is more to do. Others get the lock first.
        case pause(Interval)
        /// Until then, or until a run is armed for an earlier time.
        case sleep(Interval)
    }

    static let sweepPeriod = Interval.milliseconds(250)
    static let alarmPeriod = Interval.seconds(2)
    /// Between two parts of what is due.
    static let partPause = Interval(nanoseconds: 100_000)
    /// Before the next part of the runs that may be idle.
    static let sweepPause = Interval.milliseconds(50)
    /// Before the lane's queue is looked at again.
    static let lanePause = Interval.milliseconds(5)

    private let retentionPeriod: Interval
    private var sweepAt = Instant.distantPast
    private var alarmsAt = Instant.distantPast
    private var steadyAlarmsAt = Instant.distantPast
    private var retentionAt: Instant

    /// - Parameter steady: by the clock that does not jump.
    init(retentionPeriod: Interval, steady: Instant) {
        self.retentionPeriod = retentionPeriod
        retentionAt = steady + retentionPeriod
    }

    /// What to do now. The wall clock may stand still or jump back, so most goes by the steady one; it may jump
    /// forward, so alarms go by both.
    mutating func begin(at now: Instant, steady: Instant) -> Step {
        var step = Step()
        if steady >= sweepAt {
            sweepAt = steady + Self.sweepPeriod
            step.sweeps = true
        }
        if steady >= steadyAlarmsAt || now >= alarmsAt {
            steadyAlarmsAt = steady + Self.alarmPeriod
            alarmsAt = now + Self.alarmPeriod
            step.wakesParked = true
        }
        if steady >= retentionAt {
            retentionAt = steady + retentionPeriod
            step.retains = true
        }
        return step
    }

    mutating func end(_ outcome: Outcome, at now: Instant, steady: Instant) -> Wait {
        guard outcome.isOwned, !outcome.isStalled else { return .sleep(Self.sweepPeriod) }
        let isDue = outcome.earliest.map { $0 <= now } ?? false
        if outcome.isSweepPartial { sweepAt = steady + Self.sweepPause }
        if isDue { return .pause(outcome.isLaneFull ? Self.lanePause : Self.partPause) }
        let rest = outcome.earliest.map { $0 - now } ?? Self.sweepPeriod
        return .sleep(min(rest, outcome.isSweepPartial ? Self.sweepPause : Self.sweepPeriod))
    }
}

/// How much of what is due is carried out in one hold of the shard's lock.
struct DueBudget {
    /// Runs, and entries of their journals.
    static let runLimit = 200
    static let entryLimit = 1_000

    private var runs = 0
    private var entries = 0

    /// Whether another run may be looked at.
    var hasRoom: Bool { runs < Self.runLimit && entries < Self.entryLimit }

    /// A run was looked at, and got so many entries.
    mutating func spend(_ count: Int) {
        runs += 1
        entries += count
    }
}
