internal import SagamoreEngine
internal import SagamoreThreads

/// The queue between those who decide and the lane that commits. Items stand in the order of their decisions: whoever
/// adds holds the shard's lock.
///
/// Unchecked: every field is read and changed under `lock`.
final class LaneQueue: @unchecked Sendable {
    private let lock = ThreadLock()
    private var items: [LaneItem] = []
    /// Items that the lane has taken and not finished.
    private var inFlight = 0
    private var isStopping = false
    /// The shard stays this process's when the lane stops.
    private var isKept = false
    /// The lane has ended.
    private var isClosed = false

    /// What became of an item.
    enum Admission {
        case queued
        /// There is nothing to write and nothing before it that it could show: it can be released at once.
        case free
        /// The lane has ended: it has to be refused.
        case closed
    }

    var count: Int { lock.withLock { items.count } }

    /// - Parameter isSettled: all that the item could have seen is committed, whatever else waits.
    func add(_ item: LaneItem, isSettled: Bool) -> Admission {
        lock.lock()
        if isClosed {
            lock.unlock()
            return .closed
        }
        if !item.hasRows, isSettled || (items.isEmpty && inFlight == 0) {
            lock.unlock()
            return .free
        }
        items.append(item)
        let isFirst = items.count == 1
        lock.unlock()
        if isFirst { lock.signal() }
        return .queued
    }

    /// Waits for items, at most so long. Nil when stopping and empty.
    func take(atMost limit: Int, bytes byteLimit: Int, wait nanoseconds: Int64) -> [LaneItem]? {
        lock.lock()
        defer { lock.unlock() }
        if items.isEmpty, !isStopping { lock.wait(nanoseconds: nanoseconds) }
        if items.isEmpty { return isStopping ? nil : [] }
        var count = 0
        var bytes = 0
        while count < items.count, count < limit, bytes < byteLimit || count == 0 {
            bytes += items[count].byteCount
            count += 1
        }
        let taken: [LaneItem]
        if count == items.count {
            taken = items
            items = []
            items.reserveCapacity(taken.count)
        } else {
            taken = Array(items[..<count])
            items.removeFirst(count)
        }
        inFlight = taken.count
        return taken
    }

    /// The items taken before are committed (or refused) and released.
    func finished() {
        lock.withLock { inFlight = 0 }
    }

    /// - Parameter keepsShard: the shard is not given back, since another lane of this process is to write it.
    func stop(keepsShard: Bool = false) {
        lock.withLock {
            isStopping = true
            isKept = keepsShard
        }
        lock.broadcast()
    }

    var keepsShard: Bool { lock.withLock { isKept } }

    var isStopped: Bool { lock.withLock { isStopping } }

    /// Takes all that is left, to be refused. Nothing is queued any more.
    func close() -> [LaneItem] {
        lock.withLock {
            isClosed = true
            let left = items
            items = []
            return left
        }
    }
}
