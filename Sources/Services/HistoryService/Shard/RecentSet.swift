internal import SagamorePersistence

/// A set that keeps the most recently inserted elements.
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

    mutating func remove(_ element: Element) {
        known.remove(element)
    }

    mutating func removeAll() {
        known = []
        order = []
        next = 0
    }
}

/// The most recent commands, as 128-bit digests seeded for this process. The ids themselves would take ten times the
/// memory.
struct RecentCommands {
    private struct Digest: Hashable {
        let high: Int
        let low: Int

        init(_ command: LookUp) {
            func hash(_ seed: UInt8) -> Int {
                var hasher = Hasher()
                hasher.combine(seed)
                command.hash(into: &hasher)
                return hasher.finalize()
            }
            high = hash(0)
            low = hash(1)
        }
    }

    private var digests: RecentSet<Digest>

    init(capacity: Int) {
        digests = RecentSet(capacity: capacity)
    }

    func contains(_ command: LookUp) -> Bool { digests.contains(Digest(command)) }
    mutating func insert(_ command: LookUp) { digests.insert(Digest(command)) }
    mutating func remove(_ command: LookUp) { digests.remove(Digest(command)) }
    mutating func removeAll() { digests.removeAll() }
}
