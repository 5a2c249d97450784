internal import SagamoreEngine

/// Decides what a shard's timer does next and how long it sleeps. Due work is carried out in parts, so that no hold of
/// the shard's lock is long, however much is due at once.
struct TimerSchedule {
    /// What to do in a step, in addition to due deadlines of runs.
    struct Step: Equatable {
        /// Let idle runs leave memory, and end expired waits.
        var sweeps = false
        /// Have the loader bring back the parked runs whose alarms are near.
        var wakesParked = false
        /// Have the loader delete runs past their retention.
        var retains = false
    }

    /// How a step ended.
    struct Outcome {
        var isOwned = false
        /// The lane cannot commit.
        var isStalled = false
        /// Many items wait to be committed, so due deadlines wait too.
        var isLaneFull = false
        /// There were more idle runs than one sweep checks.
        var isSweepPartial = false
        /// The earliest deadline of the runs.
        var earliest: Instant?
    }

    enum Wait: Equatable {
        /// There is more to do after others had the lock.
        case pause(Interval)
        /// There is nothing to do for this long, unless a run is armed for an earlier time.
        case sleep(Interval)
    }

    static let sweepPeriod = Interval.milliseconds(250)
    static let alarmPeriod = Interval.seconds(2)
    /// The pause between two parts of due work.
    static let partPause = Interval(nanoseconds: 100_000)
    /// The pause before the next part of the runs that may be idle.
    static let sweepPause = Interval.milliseconds(50)
    /// How long due work waits for a lane that is half full.
    static let patience = Interval.seconds(1)
    /// The pause before the lane's queue is checked again.
    static let lanePause = Interval.milliseconds(5)

    private let retentionPeriod: Interval
    private var sweepAt = Instant.distantPast
    private var alarmsAt = Instant.distantPast
    private var steadyAlarmsAt = Instant.distantPast
    private var retentionAt: Instant

    /// - Parameter steady: the time of the steady clock.
    init(retentionPeriod: Interval, steady: Instant) {
        self.retentionPeriod = retentionPeriod
        retentionAt = steady + retentionPeriod
    }

    /// What to do now. Periods follow the steady clock, because the wall clock may stop or jump back. Alarms follow
    /// both, because the wall clock may jump forward.
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

/// Bounds the due work that is carried out in one hold of the shard's lock.
struct DueBudget {
    /// Another run may be handled while both are above zero: runs, and entries of their journals.
    private var runs: Int
    private var entries: Int

    init(runs: Int, entries: Int) {
        self.runs = runs
        self.entries = entries
    }

    /// Whether another run may be handled.
    var hasRoom: Bool { runs > 0 && entries > 0 }

    /// A run was handled, and got this many entries.
    mutating func spend(_ count: Int) {
        runs -= 1
        entries -= count
    }
}
