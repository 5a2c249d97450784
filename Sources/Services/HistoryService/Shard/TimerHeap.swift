internal import SagamoreEngine

/// When runs have to be looked at, earliest first.
struct TimerHeap {
    struct Item {
        let at: Instant
        /// By name: a run that has closed must not be kept for a timeout that will never come.
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

    /// Leaves out what is out of date.
    mutating func compact(keeping isLive: (Item) -> Bool) {
        let live = items.filter(isLive)
        items = []
        for item in live { insert(item) }
    }
}

/// The deadline of a run that stands in its shard's heap. Earlier ones that were left there are out of date.
struct ArmedDeadline: Equatable {
    private(set) var at: Instant?

    /// The run has to be looked at then. Returns whether the heap has to be told; not where it knows an earlier time.
    mutating func arm(for deadline: Instant) -> Bool {
        if let at, at <= deadline { return false }
        at = deadline
        return true
    }

    /// The heap's time has come. Returns whether it is the one that counts.
    mutating func fire(at time: Instant) -> Bool {
        guard at == time else { return false }
        at = nil
        return true
    }
}
