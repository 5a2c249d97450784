internal import SagamoreEngine
internal import SagamoreThreads

/// The queue between decisions and the lane that commits them. Items are in the order of their decisions, because they
/// are added under the shard's lock.
///
/// Unchecked: every field is read and changed under `lock`.
final class LaneQueue: @unchecked Sendable {
    private let lock = ThreadLock()
    private var items: [LaneItem] = []
    /// The number of queued items that no busy family has brought.
    private var calmCount = 0
    /// What a lane that waits is woken for.
    private var awaited = Awaited.anyItem
    /// The number of items that the lane has taken and not finished.
    private var inFlight = 0
    private var isStopping = false
    /// This process keeps the shard when the lane stops.
    private var isKept = false
    /// The lane has ended.
    private var isClosed = false
    private var onRing: (@Sendable () -> Void)?

    /// What wakes a lane.
    enum Awaited {
        case anyItem
        /// An item that no busy family has brought. Others may gather.
        case calmItem
    }

    /// The result of adding an item.
    enum Admission {
        case queued
        /// The item writes nothing and shows nothing that is uncommitted, so it can be released at once.
        case free
        /// The lane has ended, so the item must be refused.
        case closed
    }

    var count: Int { lock.withLock { items.count } }

    /// Whether what a lane is woken for is there.
    private var isAwaitedThere: Bool {
        switch awaited {
        case .anyItem: !items.isEmpty
        case .calmItem: calmCount > 0
        }
    }

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
        let wasThere = isAwaitedThere
        items.append(item)
        if item.isCalm { calmCount += 1 }
        let wakes = !wasThere && isAwaitedThere
        let ring = wakes ? onRing : nil
        lock.unlock()
        if wakes { lock.signal() }
        ring?()
        return .queued
    }

    /// Sets what wakes a lane that does not block in `waitForItems`. Before the first item.
    func connect(_ onRing: @escaping @Sendable () -> Void) { lock.withLock { self.onRing = onRing } }

    /// Blocks until what the lane is woken for is there, the lane is told to stop, or the time is over.
    func waitForItems(_ nanoseconds: Int64) {
        lock.lock()
        defer { lock.unlock() }
        if !isAwaitedThere, !isStopping { lock.wait(nanoseconds: nanoseconds) }
    }

    /// Until the next items are taken, only calm ones wake the lane.
    ///
    /// - Returns: whether there are any.
    func awaitCalmItem() -> Bool {
        lock.withLock {
            awaited = .calmItem
            return calmCount > 0
        }
    }

    /// Takes items up to a limit. Returns nil when the lane is stopping and the queue is empty.
    func take(atMost limit: Int, bytes byteLimit: Int) -> [LaneItem]? {
        lock.lock()
        defer { lock.unlock() }
        awaited = .anyItem
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
        calmCount -= taken.count(where: \.isCalm)
        return taken
    }

    /// The items that were taken are committed (or refused) and released.
    func finished() {
        lock.withLock { inFlight = 0 }
    }

    /// - Parameter keepsShard: the shard is not released, since another lane of this process will write it.
    func stop(keepsShard: Bool = false) {
        let ring = lock.withLock {
            isStopping = true
            isKept = keepsShard
            return onRing
        }
        lock.broadcast()
        ring?()
    }

    var keepsShard: Bool { lock.withLock { isKept } }

    var isStopped: Bool { lock.withLock { isStopping } }

    /// Takes the remaining items, to be refused. No more items are queued.
    func close() -> [LaneItem] {
        lock.withLock {
            isClosed = true
            let left = items
            items = []
            calmCount = 0
            return left
        }
    }
}
