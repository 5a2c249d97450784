internal import SagamoreAPI
internal import SagamoreEngine

/// A schedule in memory.
struct ScheduleEntry: Sendable {
    /// What waits for a commit.
    enum Release: Sendable {
        case answer(call: UInt64, ScheduleAnswer)
        case perform(ScheduleDemand)
    }

    /// Nil once it is deleted.
    var record: ScheduleRecord?
    let instance: RunID
    /// The times that the record's definition names.
    var times: ScheduleTimes
    /// The revision that is stored; 0 if none is.
    var revision: Int64
    /// When it has something to decide.
    var alarm: Instant?
    /// When the book looks at it next.
    var armedAt: Instant?
    /// When actions that could not be carried out are tried again, in the distant future while they are, and how long
    /// they have waited for it.
    var retry: (at: Instant, pause: Interval)?

    /// Whether it has changed since the last write began.
    var isDirty = false
    var definitionHasChanged = false
    var attributesHaveChanged = false
    /// Whether a write is under way.
    var isBeingWritten = false
    /// What waits for the next write, and for the one that is under way.
    var waiting: [Release] = []
    var releasedByWrite: [Release] = []
    /// The actions whose outcome is awaited.
    var underWay: Set<String> = []
    /// Since when the write waits for the outcomes of starts that did not wait for one.
    var isHeldSince: Instant?
    /// Calls that came behind a deletion.
    var callsBehind: [(id: UInt64, call: ScheduleCall)] = []

    init(_ stored: StoredSchedule, _ times: ScheduleTimes) {
        record = stored.record
        instance = stored.record.instance
        revision = stored.revision
        self.times = times
    }

    /// Whether actions that could not be carried out wait to be tried again.
    var awaitsRetry: Bool { retry.map { $0.at != .distantFuture } ?? false }

    /// Whether memory and database say the same.
    var isClean: Bool { !isDirty && !isBeingWritten }

    /// Whether it may be forgotten: everything is stored, and nobody waits.
    var isIdle: Bool { isClean && underWay.isEmpty && retry == nil && callsBehind.isEmpty }

    /// When a process that knows only what is stored has to load it.
    var storedAlarm: Instant? {
        guard let record else { return nil }
        return record.openActions.isEmpty ? alarm : .distantPast
    }

    /// How long a write waits for the outcomes of starts, so that it holds them, too.
    private static let longestHold = Interval.milliseconds(200)

    /// When there is something to do for it.
    func wake(at now: Instant) -> Instant? {
        // What is not held any more waits for the database alone.
        let end = isDirty && !isBeingWritten ? isHeldSince.map { $0 + Self.longestHold } : nil
        let held = end.flatMap { $0 > now ? $0 : nil }
        return [alarm, held, retry?.at].compactMap { $0 }.min()
    }

    /// What is to be done and may be done before the next write.
    var storedActions: [ScheduleDemand] {
        var unstored: Set<String> = []
        for case .perform(let action) in waiting + releasedByWrite { unstored.insert(action.name) }
        return (record?.openActions ?? []).filter { !unstored.contains($0.name) && !underWay.contains($0.name) }
    }

    /// Whether its changes are to be written now.
    func isToBeWritten(at now: Instant) -> Bool {
        guard isDirty, !isBeingWritten else { return false }
        guard waiting.isEmpty, let since = isHeldSince, !underWay.isEmpty else { return true }
        return now - since >= Self.longestHold
    }
}

extension ScheduleDemand {
    /// Tells it from all other actions of its schedule.
    var name: String {
        switch self {
        case .start(let start): start.due.id
        case .cancel(let run): "\(run.startID)-cancel"
        case .terminate(let run): "\(run.startID)-terminate"
        }
    }
}
