/// A heap with both ends: the least and the greatest element are found at once, and removed in logarithmic time.
///
/// Levels of the tree alternate: an element on an even level is the least of those below it, one on an odd level the
/// greatest.
struct MinMaxHeap<Element: Comparable> {
    private(set) var elements: [Element] = []

    var count: Int { elements.count }
    var isEmpty: Bool { elements.isEmpty }
    var min: Element? { elements.first }

    var max: Element? { maxIndex.map { elements[$0] } }

    private var maxIndex: Int? {
        switch elements.count {
        case 0: nil
        case 1: 0
        case 2: 1
        default: elements[1] < elements[2] ? 2 : 1
        }
    }

    mutating func insert(_ element: Element) {
        elements.append(element)
        var index = elements.count - 1
        guard index > 0 else { return }
        let parent = (index - 1) / 2
        var isMinLevel = Self.isMinLevel(index)
        // It may belong among the ancestors of the other kind.
        if isMinLevel ? elements[parent] < elements[index] : elements[index] < elements[parent] {
            elements.swapAt(index, parent)
            index = parent
            isMinLevel.toggle()
        }
        while index > 2 {
            let grandparent = ((index - 1) / 2 - 1) / 2
            guard precedes(index, grandparent, isMinLevel) else { return }
            elements.swapAt(index, grandparent)
            index = grandparent
        }
    }

    mutating func popMin() -> Element? { elements.isEmpty ? nil : remove(at: 0) }

    mutating func popMax() -> Element? { maxIndex.map { remove(at: $0) } }

    mutating func removeAll(keepingCapacity: Bool) { elements.removeAll(keepingCapacity: keepingCapacity) }

    /// Removes the element at the top of its kind.
    private mutating func remove(at index: Int) -> Element {
        elements.swapAt(index, elements.count - 1)
        let removed = elements.removeLast()
        if index < elements.count { sink(index) }
        return removed
    }

    private mutating func sink(_ start: Int) {
        var index = start
        let isMinLevel = Self.isMinLevel(start)
        while let next = firstBelow(index, isMinLevel), precedes(next, index, isMinLevel) {
            elements.swapAt(next, index)
            // A child has no grandchildren of `index` below it that could be out of order.
            guard next > 2 * index + 2 else { return }
            let parent = (next - 1) / 2
            if precedes(parent, next, isMinLevel) { elements.swapAt(parent, next) }
            index = next
        }
    }

    /// The first of the children and grandchildren in the order of the level.
    private func firstBelow(_ index: Int, _ isMinLevel: Bool) -> Int? {
        let child = 2 * index + 1
        guard child < elements.count else { return nil }
        var first = child
        if child + 1 < elements.count, precedes(child + 1, first, isMinLevel) { first = child + 1 }
        let grandchild = 2 * child + 1
        var next = grandchild
        while next < elements.count, next < grandchild + 4 {
            if precedes(next, first, isMinLevel) { first = next }
            next += 1
        }
        return first
    }

    private func precedes(_ left: Int, _ right: Int, _ isMinLevel: Bool) -> Bool {
        isMinLevel ? elements[left] < elements[right] : elements[right] < elements[left]
    }

    private static func isMinLevel(_ index: Int) -> Bool { (index + 1).leadingZeroBitCount & 1 == 1 }
}
