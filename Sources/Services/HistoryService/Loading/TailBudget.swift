internal import Synchronization

/// Bounds what loaded runs of a shard keep of their histories in memory, all together: a recovery brings back any
/// number of runs. A run that finds no room reads its tail when a worker asks for it.
final class TailBudget: Sendable {
    private let limit: Int
    private let used = Atomic(0)

    /// - Parameter limit: in bytes.
    init(limit: Int) {
        self.limit = limit
    }

    var usedBytes: Int { used.load(ordering: .relaxed) }

    /// Room for so many bytes, until the claim is let go; nil where there is none.
    func claim(_ bytes: Int) -> TailClaim? {
        guard used.add(bytes, ordering: .relaxed).newValue <= limit else {
            release(bytes)
            return nil
        }
        return TailClaim(bytes, of: self)
    }

    fileprivate func release(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }
}

/// A part of a budget. Given back when nothing refers to it.
final class TailClaim: Sendable {
    private let bytes: Int
    private let budget: TailBudget

    fileprivate init(_ bytes: Int, of budget: TailBudget) {
        self.bytes = bytes
        self.budget = budget
    }

    deinit { budget.release(bytes) }
}
