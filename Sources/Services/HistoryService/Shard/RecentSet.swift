/// The newest elements that were put in.
struct RecentSet<Element: Hashable> {
    private var known: Set<Element> = []
    private var order: [Element] = []
    private var next = 0
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
    }

    func contains(_ element: Element) -> Bool { known.contains(element) }

    mutating func insert(_ element: Element) {
        guard known.insert(element).inserted else { return }
        if order.count < capacity {
            order.append(element)
        } else {
            known.remove(order[next])
            order[next] = element
            next = (next + 1) % capacity
        }
    }

    /// What was not so after all.
    mutating func remove(_ element: Element) {
        known.remove(element)
    }

    mutating func removeAll() {
        known = []
        order = []
        next = 0
    }
}
