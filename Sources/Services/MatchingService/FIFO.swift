/// A queue with constant-time ends: an array with a moving head.
struct FIFO<Element> {
    private var items: [Element?] = []
    private var head = 0

    var count: Int { items.count - head }
    var isEmpty: Bool { count == 0 }
    var first: Element? { head < items.count ? items[head] : nil }

    mutating func append(_ element: Element) {
        items.append(element)
    }

    mutating func prepend(_ element: Element) {
        if head > 0 {
            head -= 1
            items[head] = element
        } else {
            items.insert(element, at: 0)
        }
    }

    mutating func popFirst() -> Element? {
        guard head < items.count else { return nil }
        let element = items[head]
        items[head] = nil
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: items.count < 1_024)
            head = 0
        } else if head > 1_024, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        return element
    }

    func contains(where condition: (Element) -> Bool) -> Bool {
        items[head...].contains { $0.map(condition) ?? false }
    }

    mutating func removeAll(where isRemoved: (Element) -> Bool) {
        items = items[head...].filter { element in element.map { !isRemoved($0) } ?? false }
        head = 0
    }
}
