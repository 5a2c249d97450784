internal import SagamoreEngine
internal import SagamoreHistoryService
internal import SagamoreSimulatedTime

/// Schedules the steps of a service's members: soon after a ring, or when their time has come. A member has at most one
/// step that is ready, and one that waits for a time.
struct MemberSchedule {
    /// When a member is stepped next.
    private enum Due: Equatable {
        case ready
        case at(Instant)
        case whenRung
    }

    private struct Entry {
        var due = Due.whenRung
        /// The earliest step that waits for its time.
        var wakeAt: Instant?
    }

    /// What to add to the scheduler.
    enum Addition: Equatable {
        case ready
        case wake(Instant)
    }

    private var entries: [Entry] = []

    private mutating func prepare(_ member: Int) {
        while entries.count <= member { entries.append(Entry()) }
    }

    /// A member has work.
    mutating func ring(_ member: Int) -> Addition? {
        prepare(member)
        guard entries[member].due != .ready else { return nil }
        entries[member].due = .ready
        return .ready
    }

    /// A step that was ready begins.
    mutating func begin(_ member: Int) { entries[member].due = .whenRung }

    /// The member's step has ended.
    mutating func finish(_ member: Int, _ next: SteppedMember.Next, at now: Instant) -> Addition? {
        // A ring within the step may have come first.
        guard entries[member].due != .ready else { return nil }
        switch next {
        case .whenRung, .ended:
            entries[member].due = .whenRung
            return nil
        case .at(let wake) where wake <= now:
            entries[member].due = .ready
            return .ready
        case .at(let wake):
            entries[member].due = .at(wake)
            return wait(member, until: wake)
        }
    }

    private mutating func wait(_ member: Int, until wake: Instant) -> Addition? {
        if let known = entries[member].wakeAt, known <= wake { return nil }
        entries[member].wakeAt = wake
        return .wake(wake)
    }

    /// A step whose time has come. Returns whether it is the member's step, and if not what to wait for instead.
    mutating func wake(_ member: Int, _ time: Instant, at now: Instant) -> (isDue: Bool, addition: Addition?) {
        if entries[member].wakeAt == time { entries[member].wakeAt = nil }
        guard case .at(let due) = entries[member].due else { return (false, nil) }
        guard due > now else {
            entries[member].due = .whenRung
            return (true, nil)
        }
        return (false, wait(member, until: due))
    }
}
