/// A time at which something of an execution may be due. Deadlines go stale: what they name is checked when they come.
public struct Deadline: Comparable, Sendable {
    /// What is due.
    public enum Kind: Int, Equatable, Sendable {
        /// The start delay is over: the first workflow task may be scheduled.
        case workflowTaskBackoff
        /// A workflow task waited too long in the sticky queue.
        case workflowTaskScheduleToStart
        /// A worker held a workflow task too long.
        case workflowTaskStartToClose
        /// An activity waited too long for a worker.
        case activityScheduleToStart
        /// An attempt of an activity ran too long.
        case activityStartToClose
        /// An activity with all its attempts took too long.
        case activityScheduleToClose
        /// A running activity sent no heartbeat in time.
        case activityHeartbeat
        /// The next attempt of an activity may be offered.
        case activityRetry
        /// A workflow's timer fires.
        case timer
        /// The run took too long.
        case runTimeout
        /// The chain of runs took too long.
        case executionTimeout
    }

    /// When it is due.
    public let at: Instant
    /// What is due.
    public let kind: Kind
    /// The event id of its subject: the Scheduled event of an activity or a workflow task, the Started event of a
    /// timer.
    public let id: Int64
    /// The subject's attempt; 0 where attempts don't matter.
    public let attempt: Int32

    /// A deadline of the subject `id`; `attempt` distinguishes its attempts.
    public init(at: Instant, kind: Kind, id: Int64, attempt: Int32 = 0) {
        self.at = at
        self.kind = kind
        self.id = id
        self.attempt = attempt
    }

    func belongsTogether(with other: Deadline) -> Bool { id == other.id && attempt == other.attempt }

    func moved(to instant: Instant) -> Deadline { Deadline(at: instant, kind: kind, id: id, attempt: attempt) }

    /// Orders by time. Ties are broken by id and kind, so the order does not depend on insertion.
    public static func < (left: Deadline, right: Deadline) -> Bool {
        (left.at.nanoseconds, left.id, left.kind.rawValue) < (right.at.nanoseconds, right.id, right.kind.rawValue)
    }
}

/// The deadlines of one execution, earliest first: a binary heap. Entries are never removed individually; `Execution`
/// rebuilds the heap when too many are stale.
public struct DeadlineHeap: Sendable {
    private(set) var items: [Deadline] = []

    /// A heap without deadlines.
    public init() {}

    /// The number of deadlines, including stale ones.
    public var count: Int { items.count }
    /// The time of the earliest deadline, or nil when there is none.
    public var earliest: Instant? { items.first?.at }

    /// Adds a deadline in logarithmic time.
    public mutating func insert(_ deadline: Deadline) {
        items.append(deadline)
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if items[parent].at <= items[child].at { break }
            items.swapAt(parent, child)
            child = parent
        }
    }

    /// Removes every deadline.
    public mutating func removeAll() {
        items.removeAll()
    }

    /// Removes the deadlines that do not satisfy `condition`.
    mutating func keep(where condition: (Deadline) -> Bool) {
        // A sorted array is a heap.
        items = items.filter(condition).sorted { $0.at < $1.at }
    }

    /// Removes every deadline that is due at `now`.
    public mutating func discard(until now: Instant) {
        while let first = items.first, first.at <= now {
            items.swapAt(0, items.count - 1)
            items.removeLast()
            siftDown()
        }
    }

    /// The deadlines due at `now`. Visits only those, since a parent in the heap is never later than its children.
    public func due(at now: Instant) -> [Deadline] {
        var found: [Deadline] = []
        var waiting = items.isEmpty ? [] : [0]
        while let index = waiting.popLast() {
            guard items[index].at <= now else { continue }
            found.append(items[index])
            if 2 * index + 1 < items.count { waiting.append(2 * index + 1) }
            if 2 * index + 2 < items.count { waiting.append(2 * index + 2) }
        }
        return found
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in 2 * parent + 1...2 * parent + 2 where child < items.count {
                if items[child].at < items[least].at { least = child }
            }
            if least == parent { return }
            items.swapAt(parent, least)
            parent = least
        }
    }
}
