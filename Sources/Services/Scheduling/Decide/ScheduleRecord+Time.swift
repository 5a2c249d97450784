internal import SagamoreAPI
public import SagamoreEngine
internal import SagamoreProtobuf

/// The passing of time.
extension ScheduleRecord {
    /// How many starts may wait for their turn.
    static let bufferLimit = 1_000
    /// Backfills leave room for the starts of the schedule's times.
    static let backfillLimit = 500
    /// How many times are decided at once. The rest follows at once, after other schedules.
    static let mostTimesAtOnce = 10_000
    /// How many times backfills add at once.
    static let mostBackfilledAtOnce = 100

    /// Decides what is due, and what the time has passed over.
    public mutating func pass(to now: Instant, _ times: ScheduleTimes) -> [ScheduleDemand] {
        fillIn(times)
        passTimes(to: now, times)
        return takeStarts(at: now)
    }

    /// When there is something to decide again: at once for `.distantPast`, never for nil.
    public func nextAlarm(_ times: ScheduleTimes) -> Instant? {
        if !progress.backfills.isEmpty, progress.buffer.count < Self.backfillLimit { return .distantPast }
        guard takesActions else { return nil }
        return times.next(after: progress.processedTo)?.jittered
    }

    /// Whether a start at a time of the schedule may be under way before it is stored that it was decided. If the
    /// process ends, it is decided again, for the same time and with the same request. That is not so where a later
    /// time takes the place of an earlier one.
    var decidesAgainAlike: Bool { overlapPolicy != .cancelOther && overlapPolicy != .terminateOther }

    private mutating func passTimes(to now: Instant, _ times: ScheduleTimes) {
        guard takesActions else { return skip(to: now, times) }
        let window = catchUp
        for _ in 0..<Self.mostTimesAtOnce {
            guard let time = times.next(after: progress.processedTo), time.jittered <= now else { return }
            progress.processedTo = time.nominal
            guard now - time.jittered <= window else {
                progress.info.missedCatchupWindow += 1
                continue
            }
            buffer(
                DueStart(
                    id: DueStart.id(at: time.nominal),
                    nominal: time.nominal,
                    scheduled: time.jittered,
                    policy: .unspecified,
                    isManual: false
                )
            )
        }
    }

    /// Takes no action for all times until now.
    mutating func skip(to now: Instant, _ times: ScheduleTimes) {
        // A time that the jitter has moved into the future is still to come.
        let jitter = Interval(definition.spec?.jitter)
        var last = max(progress.processedTo, now + Interval(nanoseconds: -jitter.nanoseconds))
        for _ in 0..<Self.mostTimesAtOnce where last < now {
            guard let time = times.next(after: last), time.jittered <= now else {
                progress.processedTo = last
                return
            }
            last = time.nominal
        }
        progress.processedTo = max(last, now)
    }

    private var catchUp: Interval {
        let given = definition.policies?.catchupWindow.map { Interval(nanoseconds: $0.signedNanoseconds) }
        return max(given ?? Self.defaultCatchUp, Self.shortestCatchUp)
    }

    /// Lets a start wait for its turn.
    mutating func buffer(_ start: DueStart) {
        if progress.buffer.count < Self.bufferLimit {
            progress.buffer.append(start)
        } else {
            progress.info.bufferDropped += 1
        }
    }

    /// Adds times of the oldest backfill while there is room.
    private mutating func fillIn(_ times: ScheduleTimes) {
        var added = 0
        while let backfill = progress.backfills.first, added < Self.mostBackfilledAtOnce,
            progress.buffer.count < Self.backfillLimit
        {
            guard let time = times.next(after: backfill.doneTo), time.jittered <= backfill.end else {
                progress.backfills.removeFirst()
                continue
            }
            progress.backfills[0].doneTo = time.nominal
            buffer(
                DueStart(
                    id: "b\(backfill.number)-\(time.nominal.nanoseconds)",
                    nominal: time.nominal,
                    scheduled: time.jittered,
                    policy: backfill.policy,
                    isManual: true
                )
            )
            added += 1
        }
    }

    /// The next times of the schedule, which tell what it would do.
    func futureTimes(after now: Instant, count: Int, _ times: ScheduleTimes) -> [Instant] {
        var limit = count
        if let state = definition.state, state.limitedActions {
            limit = min(limit, Int(clamping: state.remainingActions))
        }
        var found: [Instant] = []
        var after = max(
            progress.processedTo,
            now + Interval(nanoseconds: -Interval(definition.spec?.jitter).nanoseconds)
        )
        while found.count < limit, let time = times.next(after: after) {
            if time.jittered > now { found.append(time.jittered) }
            after = time.nominal
        }
        return found
    }
}
