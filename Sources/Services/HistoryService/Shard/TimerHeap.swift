internal import SagamoreEngine

/// The next deadline of each run of a shard, earliest first.
struct TimerHeap {
    struct Item {
        let at: Instant
        /// A key and not a reference, so that the heap keeps no closed run in memory.
        let key: WorkflowKey
        let runID: RunID
    }

    private var items: [Item] = []

    var earliest: Instant? { items.first?.at }
    var count: Int { items.count }

    mutating func insert(_ item: Item) {
        items.append(item)
        var child = items.count - 1
        while child > 0, items[child].at < items[(child - 1) / 2].at {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func popDue(_ now: Instant) -> Item? {
        guard let first = items.first, first.at <= now else { return nil }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child].at < items[least].at
            {
                least = child
            }
            if least == parent { return first }
            items.swapAt(parent, least)
            parent = least
        }
    }

    mutating func removeAll() { items = [] }

    /// Removes items that are out of date.
    mutating func compact(keeping isLive: (Item) -> Bool) {
        let live = items.filter(isLive)
        items = []
        for item in live { insert(item) }
    }
}

/// The deadline of a run in its shard's heap. Other items of the run in the heap are out of date.
struct ArmedDeadline: Equatable {
    private(set) var at: Instant?

    /// Arms the run for a deadline. Returns whether to insert it; false if the heap has an earlier one.
    mutating func arm(for deadline: Instant) -> Bool {
        if let at, at <= deadline { return false }
        at = deadline
        return true
    }

    /// Takes a time that the heap returned. Returns false if it is out of date.
    mutating func fire(at time: Instant) -> Bool {
        guard at == time else { return false }
        at = nil
        return true
    }
}
