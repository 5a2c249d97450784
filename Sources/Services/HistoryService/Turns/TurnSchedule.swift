internal import SagamoreEngine

/// Decides which of many members has the next turn on a shared thread. A member has one turn at a time. Members with
/// work take turns in the order in which they were rung.
///
/// Times are by the steady clock.
struct TurnSchedule {
    enum MemberState: Equatable {
        /// Nothing to do. Can transition to: ready (rung).
        case idle
        /// Nothing to do before then. Can transition to: ready (rung, or the time has come).
        case sleeping(until: Instant)
        /// Waits for a thread. Can transition to: running.
        case ready
        /// A thread has it. Can transition to: ready (rung meanwhile), sleeping, idle.
        case running(isRung: Bool)
    }

    enum Step: Equatable {
        /// A member's turn, until `finish`.
        case turn(Int)
        /// No member has work until then; nil: until one is rung.
        case wait(until: Instant?)
    }

    private(set) var members: [MemberState]
    /// Those that are ready, in order.
    private var queue: [Int]

    /// All members have something to do at first.
    init(memberCount: Int) {
        members = Array(repeating: .ready, count: memberCount)
        queue = Array(0..<memberCount)
    }

    var hasReady: Bool { !queue.isEmpty }

    /// When the first sleeping member wakes.
    var earliestWake: Instant? {
        var earliest: Instant?
        for case .sleeping(let until) in members { earliest = min(earliest ?? until, until) }
        return earliest
    }

    /// A member has work. Returns whether a waiting thread has to be woken.
    mutating func ring(_ member: Int) -> Bool {
        switch members[member] {
        case .ready: return false
        case .running:
            members[member] = .running(isRung: true)
            return false
        case .idle, .sleeping:
            enqueue(member)
            return true
        }
    }

    mutating func next(at now: Instant) -> Step {
        for member in members.indices {
            if case .sleeping(let until) = members[member], until <= now { enqueue(member) }
        }
        guard !queue.isEmpty else { return .wait(until: earliestWake) }
        let member = queue.removeFirst()
        members[member] = .running(isRung: false)
        return .turn(member)
    }

    /// A member's turn is over.
    ///
    /// - Parameter wake: when the member has work again; nil if it waits for a ring.
    mutating func finish(_ member: Int, wake: Instant?) {
        guard case .running(let isRung) = members[member] else {
            preconditionFailure("a turn ended that had not begun")
        }
        if isRung {
            enqueue(member)
        } else {
            members[member] = wake.map { .sleeping(until: $0) } ?? .idle
        }
    }

    private mutating func enqueue(_ member: Int) {
        members[member] = .ready
        queue.append(member)
    }
}
