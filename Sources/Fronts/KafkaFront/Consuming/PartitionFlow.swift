internal import SagamoreThreads

/// The records of a partition on their way to history, in order. Pure: the time is handed in.
///
/// While all goes well a record is submitted as it comes. When one fails the partition *stalls*: nothing more is
/// submitted until every answer is in, then the open records are submitted again in their order: one, and when that
/// succeeds two, four, …; when it fails one again after a pause. With none left the partition flows as before.
struct PartitionFlow<Item: Sendable> {
    typealias Time = ContinuousClock.Instant

    private enum State { case waiting, underWay, durable }

    private struct Entry {
        let offset: Int64
        var item: Item
        let weight: Int
        var state: State
        var failures = 0
    }

    /// The most records that are submitted at a time after a stall.
    private static var largestWindow: Int { 512 }

    private var entries: [Entry] = []
    private var head = 0
    private var tracker = OffsetTracker()
    private var underWay = 0
    private var window = 1
    private var hasFailed = false
    /// The offset of the last record that came.
    private var newest: Int64?
    private var backoff = Backoff(first: .milliseconds(20), longest: .seconds(2))

    private(set) var isStalled = false
    /// When to ask for `due`; nil while answers are awaited or nothing is stalled.
    private(set) var retryAt: Time?
    /// What the open records weigh together.
    private(set) var weight = 0

    /// The offset up to which everything is durable.
    var committable: Int64? { tracker.committable }

    /// Records that are not passed yet.
    var count: Int { tracker.count }

    /// Whether a record with this offset lies behind all that came. If not, the partition counts anew: nothing of this
    /// flow holds any more.
    func goesOn(at offset: Int64) -> Bool { newest.map { offset > $0 } ?? true }

    /// A record came, behind all others.
    ///
    /// - Returns: whether to submit it now.
    mutating func received(_ offset: Int64, _ item: Item, weight: Int) -> Bool {
        newest = offset
        tracker.begin(offset)
        entries.append(Entry(offset: offset, item: item, weight: weight, state: isStalled ? .waiting : .underWay))
        self.weight += weight
        if !isStalled { underWay += 1 }
        return !isStalled
    }

    /// A record's effect is durable.
    ///
    /// - Returns: the offset to commit, when that moved, and what the record weighed.
    mutating func succeeded(_ offset: Int64, at now: Time) -> (commit: Int64?, weight: Int) {
        guard let index = index(of: offset), entries[index].state == .underWay else { return (nil, 0) }
        entries[index].state = .durable
        let freed = entries[index].weight
        weight -= freed
        let commit = tracker.finish(offset)
        while head < entries.count, entries[head].state == .durable { head += 1 }
        if head == entries.count || head > 1_024 {
            entries.removeFirst(head)
            head = 0
        }
        answered(at: now)
        return (commit, freed)
    }

    /// A record was not carried out.
    ///
    /// - Parameter replace: may put something else in its place, from the number of its failures.
    mutating func failed(_ offset: Int64, at now: Time, replace: (Int, Item) -> Item? = { _, _ in nil }) {
        guard let index = index(of: offset), entries[index].state == .underWay else { return }
        entries[index].state = .waiting
        entries[index].failures += 1
        if let other = replace(entries[index].failures, entries[index].item) { entries[index].item = other }
        isStalled = true
        hasFailed = true
        answered(at: now)
    }

    private mutating func answered(at now: Time) {
        underWay -= 1
        guard isStalled, underWay == 0 else { return }
        if head == entries.count {
            isStalled = false
            window = 1
            backoff.reset()
        } else if hasFailed {
            window = 1
            retryAt = now + backoff.next()
        } else {
            window = min(window * 2, Self.largestWindow)
            backoff.reset()
            retryAt = now
        }
        hasFailed = false
    }

    /// The records to submit again now, in order.
    mutating func due(_ now: Time) -> [(offset: Int64, item: Item)] {
        guard let at = retryAt, at <= now, underWay == 0 else { return [] }
        retryAt = nil
        var due: [(offset: Int64, item: Item)] = []
        var index = head
        while index < entries.count, due.count < window {
            if entries[index].state == .waiting {
                entries[index].state = .underWay
                due.append((entries[index].offset, entries[index].item))
            }
            index += 1
        }
        underWay = due.count
        return due
    }

    private func index(of offset: Int64) -> Int? {
        var (low, high) = (head, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].offset == offset ? low : nil
    }
}
