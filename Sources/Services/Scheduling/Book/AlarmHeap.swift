internal import SagamoreEngine

/// Alarms by their times, the earliest first. One that is not valid any more stays until its time.
struct AlarmHeap: Sendable {
    struct Alarm: Sendable {
        let at: Instant
        let name: ScheduleName
    }

    private var alarms: [Alarm] = []

    var first: Alarm? { alarms.first }
    var count: Int { alarms.count }

    mutating func insert(_ alarm: Alarm) {
        alarms.append(alarm)
        var child = alarms.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if alarms[parent].at <= alarms[child].at { return }
            alarms.swapAt(parent, child)
            child = parent
        }
    }

    mutating func removeFirst() -> Alarm {
        alarms.swapAt(0, alarms.count - 1)
        let removed = alarms.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < alarms.count {
                if alarms[child].at < alarms[least].at { least = child }
            }
            if least == parent { return removed }
            alarms.swapAt(parent, least)
            parent = least
        }
    }
}
