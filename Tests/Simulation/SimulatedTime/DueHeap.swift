internal import SagamoreEngine

/// A heap of elements by the time at which they are due; those of one time keep their order.
///
/// The heap holds only numbers: moving elements up and down, with what they retain, took half of a simulation's time.
struct DueHeap<Element> {
    private var keys: [Key] = []
    private var elements: [Element?] = []
    /// Places in `elements` that are free.
    private var free: [Int] = []

    private struct Key {
        let at: Instant
        let order: UInt64
        /// Where the element is.
        let place: Int

        static func < (left: Key, right: Key) -> Bool {
            left.at == right.at ? left.order < right.order : left.at < right.at
        }
    }

    /// When the first element is due.
    var earliest: Instant? { keys.first?.at }

    mutating func push(_ element: Element, at instant: Instant, order: UInt64) {
        let place: Int
        if let last = free.popLast() {
            place = last
            elements[place] = element
        } else {
            place = elements.count
            elements.append(element)
        }
        keys.append(Key(at: instant, order: order, place: place))
        var child = keys.count - 1
        while child > 0, keys[child] < keys[(child - 1) / 2] {
            keys.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the first element if it is due.
    mutating func popDue(_ now: Instant) -> Element? {
        guard let first = keys.first, first.at <= now else { return nil }
        let last = keys.removeLast()
        if !keys.isEmpty {
            keys[0] = last
            sink()
        }
        free.append(first.place)
        return elements[first.place].take()
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            let left = 2 * parent + 1
            if left < keys.count, keys[left] < keys[least] { least = left }
            if left + 1 < keys.count, keys[left + 1] < keys[least] { least = left + 1 }
            if least == parent { return }
            keys.swapAt(parent, least)
            parent = least
        }
    }
}
