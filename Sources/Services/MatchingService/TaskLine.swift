internal import SagamoreEngine
internal import SagamoreServices

/// Tasks that wait in memory, in the order of their places. Both ends are found at once; adding and removing a task
/// takes logarithmic time.
struct TaskLine {
    /// What the heap moves instead of the task.
    private struct Entry: Comparable {
        let place: TaskPlace
        /// Tasks of one place keep the order of their arrival.
        let arrival: UInt64
        let slot: Int

        static func < (left: Entry, right: Entry) -> Bool {
            left.place == right.place ? left.arrival < right.arrival : left.place < right.place
        }
    }

    private var heap = MinMaxHeap<Entry>()
    private var tasks: [MatchingTask?] = []
    private var freeSlots: [Int] = []
    private var arrivals: UInt64 = 0
    /// How many of the tasks are sticky, so that none is looked for in vain.
    private var stickyCount = 0

    var count: Int { heap.count }
    var isEmpty: Bool { heap.isEmpty }
    /// The place of the first task.
    var firstPlace: TaskPlace? { heap.min?.place }
    var holdsSticky: Bool { stickyCount > 0 }

    /// Adds a task that has a place.
    mutating func insert(_ task: MatchingTask) {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            tasks[slot] = task
        } else {
            slot = tasks.count
            tasks.append(task)
        }
        arrivals += 1
        if task.isSticky { stickyCount += 1 }
        heap.insert(Entry(place: task.taskPlace, arrival: arrivals, slot: slot))
    }

    mutating func popFirst() -> MatchingTask? { heap.popMin().flatMap { take($0) } }

    mutating func popLast() -> MatchingTask? { heap.popMax().flatMap { take($0) } }

    private mutating func take(_ entry: Entry) -> MatchingTask? {
        let task = tasks[entry.slot]
        tasks[entry.slot] = nil
        if task?.isSticky ?? false { stickyCount -= 1 }
        if heap.isEmpty {
            // What a burst needed is given back.
            let keepsCapacity = tasks.count < 1_024
            tasks.removeAll(keepingCapacity: keepsCapacity)
            freeSlots.removeAll(keepingCapacity: keepsCapacity)
            if !keepsCapacity { heap.removeAll(keepingCapacity: false) }
        } else {
            freeSlots.append(entry.slot)
        }
        return task
    }

    /// Removes and returns the tasks that fulfill a condition, in order.
    mutating func removeAll(where isRemoved: (MatchingTask) -> Bool) -> [MatchingTask] {
        guard contains(where: isRemoved) else { return [] }
        let old = inOrder
        self = TaskLine()
        var removed: [MatchingTask] = []
        for task in old {
            if isRemoved(task) { removed.append(task) } else { insert(task) }
        }
        return removed
    }

    func contains(where condition: (MatchingTask) -> Bool) -> Bool {
        tasks.contains { $0.map(condition) ?? false }
    }

    /// All tasks in order.
    var inOrder: [MatchingTask] { heap.elements.sorted().compactMap { tasks[$0.slot] } }
}

extension MatchingTask {
    /// Where the task stands; at the front of its priority while it has no place.
    var taskPlace: TaskPlace { TaskPlace(level: priority.level, place: place ?? .min) }

    /// A task whose client waits for an answer. It is never stored.
    var isQuery: Bool {
        if case .query = kind { true } else { false }
    }

    var isStickyQuery: Bool { isSticky && isQuery }
}
