public import SagamoreEngine

/// The schedules of an installation, as far as they matter now: those that are about to do something, and those that
/// somebody has asked for. A state machine between callers, the clock, the database and the service that owns
/// executions.
///
/// What it promises:
/// - An answer is given when all that it says is stored.
/// - No start is lost: what is decided follows from what is stored, or is stored itself before anybody hears of it.
/// - No start is doubled: a start has the same request id however often it is decided, and before and after a restart.
///   A start at a time of the schedule need not wait for a write, then, if nothing else of the schedule does.
public struct ScheduleBook: Sendable {
    var entries: [ScheduleName: ScheduleEntry] = [:]
    /// Calls for schedules that are to be loaded.
    var calls: [ScheduleName: [(id: UInt64, call: ScheduleCall)]] = [:]
    var toLoad: [ScheduleName] = []
    var alarms = AlarmHeap()
    var dirty: [ScheduleName] = []
    /// All stored schedules with an alarm up to here are in memory.
    var loadedUntil = Instant.distantPast
    /// How far a load of several pages has come.
    var loadedTo: (alarm: Instant, instance: RunID)?
    /// Schedules are forgotten when there are more, and not before there are as many again.
    var forgetAbove = Self.keptIdle
    private var effects: [ScheduleEffect] = []
    private let zones: @Sendable () -> TimeZones

    /// How many schedules are kept though nothing is to be done for them soon.
    static let keptIdle = 10_000
    /// How long before their alarms schedules are loaded.
    static let foresight = Interval.seconds(2)
    /// How far a load reaches.
    static let reach = Interval.seconds(5)
    /// How many schedules are loaded, or written, at a time.
    static let pageSize = 1_000
    static let writeSize = 500
    /// How many alarms are handled at a time.
    static let alarmsAtOnce = 100
    private static let firstPause = Interval.milliseconds(100)
    private static let longestPause = Interval.seconds(5)

    /// - Parameter zones: where the rules of time zones come from.
    public init(zones: @escaping @Sendable () -> TimeZones) { self.zones = zones }

    /// What is to be done. Each is told once.
    public mutating func takeEffects() -> [ScheduleEffect] {
        defer { effects = [] }
        return effects
    }

    mutating func answer(_ call: UInt64, _ outcome: Result<ScheduleAnswer, RequestError>) {
        effects.append(.answer(call: call, outcome))
    }

    func times(of record: ScheduleRecord) -> ScheduleTimes { (try? record.times(zones())) ?? .none }

    /// Why the times of a schedule cannot be told; empty if they can.
    func problem(of record: ScheduleRecord) -> String {
        do throws(RequestError) {
            _ = try record.times(zones())
            return ""
        } catch {
            return error.message
        }
    }

    // MARK: Time

    /// When there is something to do, if nothing else happens before.
    public var nextWake: Instant {
        let load = loadedUntil + Interval(nanoseconds: -Self.foresight.nanoseconds)
        return min(alarms.first?.at ?? .distantFuture, load)
    }

    /// Decides what is due.
    ///
    /// - Returns: whether more is due.
    public mutating func pass(to now: Instant) -> Bool {
        for _ in 0..<Self.alarmsAtOnce {
            guard let first = alarms.first, first.at <= now else { return false }
            let alarm = alarms.removeFirst()
            let name = alarm.name
            guard entries[name]?.armedAt == alarm.at else { continue }
            entries[name]?.armedAt = nil
            if let retry = entries[name]?.retry, retry.at <= now { tryAgain(name) }
            if !passTime(of: name, to: now) { settleEntry(name, at: now) }
        }
        return alarms.first.map { $0.at <= now } ?? false
    }

    /// Decides what is due of a schedule. It comes before anything else that is decided: a start that was lost with the
    /// process is decided again before a call can change what it follows from.
    ///
    /// - Returns: whether something was due.
    @discardableResult
    mutating func passTime(of name: ScheduleName, to now: Instant) -> Bool {
        guard let at = entries[name]?.alarm, at <= now else { return false }
        decide(name, at: now, goesAhead: true) { record, times in record.pass(to: now, times) }
        return true
    }

    private mutating func tryAgain(_ name: ScheduleName) {
        guard var entry = entries[name] else { return }
        entry.retry?.at = .distantFuture
        performOpen(&entry)
        if entry.underWay.isEmpty { entry.retry = nil }
        entries[name] = entry
    }

    /// Lets a schedule decide something, and sees to what follows.
    ///
    /// - Parameters:
    ///   - goesAhead: whether starts need not wait until they are stored, since they are decided again alike.
    ///   - release: what waits for the decision to be stored, if anything.
    mutating func decide(
        _ name: ScheduleName,
        at now: Instant,
        goesAhead: Bool = false,
        _ release: ((ScheduleRecord) -> ScheduleEntry.Release)? = nil,
        _ body: (inout ScheduleRecord, ScheduleTimes) -> [ScheduleDemand]
    ) {
        guard var entry = entries[name], let before = entry.record else { return }
        var record = before
        let times = entry.times
        let mayGoAhead = goesAhead && entry.isClean && record.decidesAgainAlike
        let actions = body(&record, times)
        entry.alarm = record.nextAlarm(times)
        if record.progress != before.progress || record.definition != before.definition { entry.isDirty = true }
        if record.definition != before.definition { entry.definitionHasChanged = true }
        if record.isPaused != before.isPaused { entry.attributesHaveChanged = true }
        entry.record = record
        for action in actions {
            if mayGoAhead, case .start(let start) = action, !start.due.isManual {
                entry.isHeldSince = entry.isHeldSince ?? now
                perform(action, &entry)
            } else {
                entry.waiting.append(.perform(action))
            }
        }
        if let release {
            let released = release(record)
            if entry.isDirty {
                entry.waiting.append(released)
            } else if entry.isBeingWritten {
                // The write that is under way has all that was seen.
                entry.releasedByWrite.append(released)
            } else {
                self.release([released], &entry)
            }
        }
        settle(name, entry, at: now)
    }

    /// Puts an entry back, with its alarm, and sees to its write.
    mutating func settle(_ name: ScheduleName, _ entry: ScheduleEntry, at now: Instant) {
        var entry = entry
        if entry.isToBeWritten(at: now) { dirty.append(name) }
        if let wake = entry.wake(at: now), wake != .distantFuture, entry.armedAt.map({ wake < $0 }) ?? true {
            entry.armedAt = wake
            alarms.insert(AlarmHeap.Alarm(at: wake, name: name))
        }
        entries[name] = entry
    }

    // MARK: Actions

    mutating func perform(_ action: ScheduleDemand, _ entry: inout ScheduleEntry) {
        guard let record = entry.record, entry.underWay.insert(action.name).inserted else { return }
        effects.append(.perform(action, record))
    }

    /// Carries out again whatever may have been lost.
    mutating func performOpen(_ entry: inout ScheduleEntry) {
        for action in entry.storedActions { perform(action, &entry) }
    }

    mutating func release(_ releases: [ScheduleEntry.Release], _ entry: inout ScheduleEntry) {
        for release in releases {
            switch release {
            case .answer(let call, let answer): self.answer(call, .success(answer))
            case .perform(let action):
                // It may have been settled meanwhile: a start's run may even have ended.
                if entry.record?.openActions.contains(action) == true { perform(action, &entry) }
            }
        }
    }

    /// An action was carried out: for a start, this run is there.
    public mutating func performed(_ action: ScheduleDemand, of name: ScheduleName, runID: RunID?, at now: Instant) {
        guard finish(action, of: name) else { return }
        guard case .start(let start) = action, let runID else { return settleEntry(name, at: now) }
        decide(name, at: now) { record, _ in record.started(start.due.id, runID: runID, at: now) }
    }

    /// An action was refused for good.
    public mutating func refused(_ action: ScheduleDemand, of name: ScheduleName, at now: Instant) {
        guard finish(action, of: name) else { return }
        guard case .start(let start) = action else { return settleEntry(name, at: now) }
        decide(name, at: now) { record, _ in record.refused(start.due.id, at: now) }
    }

    /// An action could not be carried out. It is tried again behind a pause, with all others of the schedule that fail
    /// until then.
    public mutating func failed(_ action: ScheduleDemand, of name: ScheduleName, at now: Instant) {
        guard var entry = entries[name], entry.underWay.remove(action.name) != nil else { return }
        if !entry.awaitsRetry {
            let pause = entry.retry.map { min($0.pause + $0.pause, Self.longestPause) } ?? Self.firstPause
            entry.retry = (now + pause, pause)
        }
        // It must be known by then that it was decided.
        settle(name, entry, at: now)
    }

    private mutating func settleEntry(_ name: ScheduleName, at now: Instant) {
        guard let entry = entries[name] else { return }
        settle(name, entry, at: now)
    }

    /// - Returns: false if nobody waits for it.
    private mutating func finish(_ action: ScheduleDemand, of name: ScheduleName) -> Bool {
        guard var entry = entries[name], entry.underWay.remove(action.name) != nil else { return false }
        if entry.underWay.isEmpty {
            // Others may have failed: they still have their turn.
            if !entry.awaitsRetry { entry.retry = nil }
            entry.isHeldSince = nil
        }
        entries[name] = entry
        return true
    }
}

extension Interval {
    fileprivate static func + (left: Interval, right: Interval) -> Interval {
        Interval(nanoseconds: left.nanoseconds.addingReportingOverflow(right.nanoseconds).partialValue)
    }
}
