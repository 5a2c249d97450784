/// What undoes the newest transactions: a limited number of them.
struct UndoLog {
    private struct Transaction {
        let changes: [Change]
        let isAsynchronous: Bool
    }

    private let limit: Int
    private var transactions: [Transaction] = []

    init(limit: Int) { self.limit = limit }

    /// How many can be undone.
    var count: Int { min(transactions.count, limit) }

    /// The newest transaction did not wait for the flush of the log, and can be undone.
    var isNewestAsynchronous: Bool { count > 0 && transactions[transactions.count - 1].isAsynchronous }

    mutating func append(_ changes: [Change], isAsynchronous: Bool) {
        // Twice the limit at most, so that not every transaction moves all.
        if transactions.count > 2 * limit { transactions.removeFirst(transactions.count - limit) }
        transactions.append(Transaction(changes: changes, isAsynchronous: isAsynchronous))
    }

    /// The changes that undo the newest transaction; they go in reverse.
    mutating func removeNewest() -> [Change] { transactions.removeLast().changes }
}
