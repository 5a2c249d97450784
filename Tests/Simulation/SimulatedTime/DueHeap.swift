internal import SagamoreEngine

/// A heap of elements by the time at which they are due; those of one time keep their order.
struct DueHeap<Element> {
    private var entries: [(at: Instant, order: UInt64, element: Element)] = []

    /// When the first element is due.
    var earliest: Instant? { entries.first?.at }

    mutating func push(_ element: Element, at instant: Instant, order: UInt64) {
        entries.append((instant, order, element))
        var child = entries.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the first element if it is due.
    mutating func popDue(_ now: Instant) -> Element? {
        guard let first = entries.first, first.at <= now else { return nil }
        let last = entries.removeLast()
        guard !entries.isEmpty else { return first.element }
        entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count && isBefore(child, least) {
                least = child
            }
            if least == parent { return first.element }
            entries.swapAt(parent, least)
            parent = least
        }
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (entries[left].at, entries[left].order) < (entries[right].at, entries[right].order)
    }
}
