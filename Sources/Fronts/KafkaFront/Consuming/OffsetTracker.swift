/// Which records of a partition are durable, and up to where the partition is done. Pure.
///
/// Offsets begin in ascending order, with gaps (transactions leave markers), and finish in any order.
struct OffsetTracker {
    private var offsets: [Int64] = []
    private var isFinished: [Bool] = []
    /// Where the records begin that are not passed yet.
    private var head = 0
    /// The offset up to which everything that began is durable: the next one to read. Nil before the first record.
    private(set) var committable: Int64?

    /// Records that began and are not passed yet.
    var count: Int { offsets.count - head }

    /// A record is under way. One that is not behind the last one began before, and is ignored.
    mutating func begin(_ offset: Int64) {
        guard offset > offsets.last ?? (committable ?? 0) - 1 else { return }
        if committable == nil { committable = offset }
        offsets.append(offset)
        isFinished.append(false)
    }

    /// A record is durable.
    ///
    /// - Returns: the offset to commit, when that moved.
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
