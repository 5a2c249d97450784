internal import SagamoreEngine
internal import SagamoreThreads

/// The queue between decisions and the lane that commits them. Items are in the order of their decisions, because they
/// are added under the shard's lock.
///
/// Unchecked: every field is read and changed under `lock`.
final class LaneQueue: @unchecked Sendable {
    private let lock = ThreadLock()
    private var items: [LaneItem] = []
    /// The number of items that the lane has taken and not finished.
    private var inFlight = 0
    private var isStopping = false
    /// This process keeps the shard when the lane stops.
    private var isKept = false
    /// The lane has ended.
    private var isClosed = false

    /// The result of adding an item.
    enum Admission {
        case queued
        /// The item writes nothing and shows nothing that is uncommitted, so it can be released at once.
        case free
        /// The lane has ended, so the item must be refused.
        case closed
    }

    var count: Int { lock.withLock { items.count } }

    /// - Parameter isSettled: everything that the item could have seen is committed, whatever else is queued.
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

    /// Waits for items until a limit. Returns nil when the lane is stopping and the queue is empty.
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

    /// The items that were taken are committed (or refused) and released.
    func finished() {
        lock.withLock { inFlight = 0 }
    }

    /// - Parameter keepsShard: the shard is not released, since another lane of this process will write it.
    func stop(keepsShard: Bool = false) {
        lock.withLock {
            isStopping = true
            isKept = keepsShard
        }
        lock.broadcast()
    }

    var keepsShard: Bool { lock.withLock { isKept } }

    var isStopped: Bool { lock.withLock { isStopping } }

    /// Takes the remaining items, to be refused. No more items are queued.
    func close() -> [LaneItem] {
        lock.withLock {
            isClosed = true
            let left = items
            items = []
            return left
        }
    }
}
