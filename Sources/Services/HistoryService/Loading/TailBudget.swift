internal import Synchronization

/// Bounds the tails of histories that all loaded runs of a shard together keep in memory, since a recovery loads any
/// number of runs. A run without a share reads its tail when a worker needs it.
final class TailBudget: Sendable {
    private let limit: Int
    private let used = Atomic(0)

    /// - Parameter limit: in bytes.
    init(limit: Int) {
        self.limit = limit
    }

    var usedBytes: Int { used.load(ordering: .relaxed) }

    /// Claims this many bytes for as long as the claim lives. Returns nil if they exceed the budget.
    func claim(_ bytes: Int) -> TailClaim? {
        guard used.add(bytes, ordering: .relaxed).newValue <= limit else {
            release(bytes)
            return nil
        }
        return TailClaim(bytes, of: self)
    }

    fileprivate func release(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }
}

/// A share of a budget. It is returned when the last reference to it is gone.
final class TailClaim: Sendable {
    let bytes: Int
    private let budget: TailBudget

    fileprivate init(_ bytes: Int, of budget: TailBudget) {
        self.bytes = bytes
        self.budget = budget
    }

    deinit { budget.release(bytes) }
}
