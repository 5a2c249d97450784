/// Tracks the durable records of a partition, and the offset up to which all are durable. Pure.
///
/// Offsets begin in ascending order, with gaps (markers of transactions), and finish in any order.
struct OffsetTracker {
    private var offsets: [Int64] = []
    private var isFinished: [Bool] = []
    /// The index of the first record that is not durable.
    private var head = 0
    /// The offset to commit: every record below it is durable. Nil before the first record.
    private(set) var committable: Int64?

    /// The number of records from `head` on.
    var count: Int { offsets.count - head }

    /// A record was received. Ignored when its offset is not above the last one.
    mutating func begin(_ offset: Int64) {
        guard offset > offsets.last ?? (committable ?? 0) - 1 else { return }
        if committable == nil { committable = offset }
        offsets.append(offset)
        isFinished.append(false)
    }

    /// A record is durable.
    ///
    /// - Returns: the offset to commit, if it advanced.
    mutating func finish(_ offset: Int64) -> Int64? {
        guard let index = index(of: offset), !isFinished[index] else { return nil }
        isFinished[index] = true
        guard index == head else { return nil }
        while head < offsets.count, isFinished[head] { head += 1 }
        committable = head < offsets.count ? offsets[head] : offsets[head - 1] + 1
        if head == offsets.count || head > 4_096 {
            offsets.removeFirst(head)
            isFinished.removeFirst(head)
            head = 0
        }
        return committable
    }

    private func index(of offset: Int64) -> Int? {
        var (low, high) = (head, offsets.count)
        while low < high {
            let middle = (low + high) / 2
            if offsets[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low < offsets.count && offsets[low] == offset ? low : nil
    }
}
