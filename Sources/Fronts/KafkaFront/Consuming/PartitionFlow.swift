internal import SagamoreThreads

/// The records of one partition on their way to history, in order. Pure: the time is a parameter.
///
/// A record waits until there is room for it, and then it is submitted. When one fails, the partition *stalls*: nothing
/// more is submitted until every submitted record is answered. Then the open records are submitted again in order: one,
/// and after each round without a failure two, four, …; after a failure one, with a backoff. The stall ends when
/// everything that was submitted before it is durable.
struct PartitionFlow<Item: Sendable> {
    typealias Time = ContinuousClock.Instant

    /// A record to hand to history.
    struct Submission: Sendable {
        let offset: Int64
        let item: Item
        let weight: Int
    }

    private enum State { case waiting, submitted, durable }

    private struct Entry {
        let offset: Int64
        var item: Item
        let weight: Int
        var state: State
        /// Those that will not pass.
        var failures = 0
    }

    /// The most records that are submitted at a time during a stall.
    private static var largestRound: Int { 512 }

    private var entries: [Entry] = []
    /// The first entry that is not durable.
    private var head = 0
    /// No entry before this one waits.
    private var firstWaiting = 0
    private var tracker = OffsetTracker()
    /// Entries that are submitted and not answered.
    private var unanswered = 0
    private var newestSubmitted: Int64 = -1
    private var newestReceived: Int64?
    /// During a stall: the last record that was submitted before it.
    private var stallEnd: Int64?
    private var round = 1
    private var hasFailed = false
    private var backoff = Backoff(first: .milliseconds(20), longest: .seconds(2))
    private let chance: Chance

    /// During a stall: when to submit again. Nil while answers are awaited.
    private(set) var retryAt: Time?
    /// The weight of the records that are not durable.
    private(set) var weight = 0

    /// - Parameter chance: the jitter of retries.
    init(chance: Chance = .system) { self.chance = chance }

    var isStalled: Bool { stallEnd != nil }

    /// Every offset below this one is durable.
    var committable: Int64? { tracker.committable }

    /// The number of records from the first one that is not durable on.
    var count: Int { tracker.count }

    /// Whether an offset is above all received ones. If not, the partition's offsets have restarted, and this flow's
    /// offsets mean other records.
    func continues(at offset: Int64) -> Bool { newestReceived.map { offset > $0 } ?? true }

    /// A record arrived, behind all others.
    mutating func receive(_ offset: Int64, _ item: Item, weight: Int) {
        newestReceived = offset
        tracker.begin(offset)
        entries.append(Entry(offset: offset, item: item, weight: weight, state: .waiting))
        self.weight += weight
    }

    /// Takes the records to submit now, in order.
    ///
    /// - Parameters:
    ///   - limit: the most records to take; a round of a stall has its own limit.
    ///   - admit: whether there is room for a record of this weight. A refusal ends the taking.
    mutating func submit(atMost limit: Int, at now: Time, admit: (Item, Int) -> Bool) -> [Submission] {
        if isStalled {
            guard unanswered == 0, let at = retryAt, at <= now else { return [] }
        }
        let limit = isStalled ? round : limit
        var taken: [Submission] = []
        while firstWaiting < entries.count, taken.count < limit {
            let entry = entries[firstWaiting]
            if entry.state == .waiting {
                if let stallEnd, entry.offset > stallEnd { break }
                guard admit(entry.item, entry.weight) else { break }
                entries[firstWaiting].state = .submitted
                newestSubmitted = max(newestSubmitted, entry.offset)
                taken.append(Submission(offset: entry.offset, item: entry.item, weight: entry.weight))
            }
            firstWaiting += 1
        }
        unanswered += taken.count
        if !taken.isEmpty { retryAt = nil }
        return taken
    }

    /// A record's effect is durable.
    ///
    /// - Returns: the offset to commit, when it advanced, and the record's weight.
    mutating func succeed(_ offset: Int64, at now: Time) -> (commit: Int64?, weight: Int) {
        guard let index = index(of: offset), entries[index].state == .submitted else { return (nil, 0) }
        entries[index].state = .durable
        let freed = entries[index].weight
        weight -= freed
        let commit = tracker.finish(offset)
        while head < entries.count, entries[head].state == .durable { head += 1 }
        if head == entries.count || head > 1_024 {
            entries.removeFirst(head)
            firstWaiting = max(0, firstWaiting - head)
            head = 0
        }
        answered(at: now)
        return (commit, freed)
    }

    /// A record was not carried out.
    ///
    /// - Parameters:
    ///   - mayPass: whether the same record may succeed later. An outage, however long, says nothing about a record.
    ///   - replace: returns what to submit instead, given the number of failures that will not pass; nil keeps the
    ///     item.
    mutating func fail(
        _ offset: Int64,
        at now: Time,
        mayPass: Bool = true,
        replace: (Int, Item) -> Item? = { _, _ in nil }
    ) {
        guard let index = index(of: offset), entries[index].state == .submitted else { return }
        entries[index].state = .waiting
        if !mayPass {
            entries[index].failures += 1
            if let other = replace(entries[index].failures, entries[index].item) { entries[index].item = other }
        }
        firstWaiting = min(firstWaiting, index)
        if stallEnd == nil { stallEnd = newestSubmitted }
        hasFailed = true
        answered(at: now)
    }

    private mutating func answered(at now: Time) {
        unanswered -= 1
        guard let stallEnd, unanswered == 0 else { return }
        if head == entries.count || entries[head].offset > stallEnd {
            self.stallEnd = nil
            round = 1
            backoff.reset()
        } else if hasFailed {
            round = 1
            retryAt = now + backoff.next(chance)
        } else {
            round = min(round * 2, Self.largestRound)
            backoff.reset()
            retryAt = now
        }
        hasFailed = false
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
