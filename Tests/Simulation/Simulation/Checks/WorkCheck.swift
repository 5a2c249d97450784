internal import SagamoreHistoryService
internal import SagamorePersistence

/// Counts what a server's loaders read in one turn, and what is decided in one hold of a shard's lock, and compares it
/// with the bounds that the server was given.
///
/// - `load-bounds`: a query has no more lookups, a list no more runs, and a page no more bytes than allowed, and a
///   turn reads one page of journals and one of heartbeats.
/// - `hold-bounds`: a hold handles no more due runs, settles no more workflows, and lets no more runs leave than
///   allowed.
final class WorkCheck {
    private let bounds: WorkBounds
    private let taskQueueLimit: Int
    private let report: (Violation) -> Void
    /// Is told which bound was met.
    private let reached: (String) -> Void
    /// Steps that have begun and not ended: one within a call of a store lets others go on.
    private var steps: [Step] = []

    private struct Step {
        let label: String
        var journalPages = 0
        var heartbeatPages = 0
    }

    init(
        _ bounds: WorkBounds,
        taskQueueLimit: Int,
        report: @escaping (Violation) -> Void,
        reached: @escaping (String) -> Void
    ) {
        self.bounds = bounds
        self.taskQueueLimit = taskQueueLimit
        self.report = report
        self.reached = reached
    }

    func begin(_ label: StaticString) { steps.append(Step(label: "\(label)")) }

    func end() { steps.removeLast() }

    // MARK: Loads

    func lookedUp(_ count: Int) { compare("load-bounds", "lookups of a query", count, bounds.lookUps) }

    func listed(_ count: Int) { compare("load-bounds", "runs of a list", count, bounds.lookUps) }

    /// Rows of a backlog: no more than the queue has room for.
    func pagedIn(_ count: Int) { compare("load-bounds", "rows of a backlog", count, taskQueueLimit) }

    func read(_ page: JournalPage) {
        guard let step = steps.indices.last else { return }
        steps[step].journalPages += 1
        if steps[step].journalPages > 1 { report(Violation("load-bounds", "two pages of journals in a turn")) }
        compareBytes("bytes of a page of journals", page.parts.map(\.byteCount))
    }

    func read(_ page: HeartbeatPage) {
        guard let step = steps.indices.last else { return }
        steps[step].heartbeatPages += 1
        if steps[step].heartbeatPages > 1 { report(Violation("load-bounds", "two pages of heartbeats in a turn")) }
        compareBytes("bytes of a page of heartbeats", page.rows.map(\.details.count))
    }

    /// The last row may go beyond the bound.
    private func compareBytes(_ name: String, _ sizes: [Int]) {
        let before = sizes.dropLast().reduce(0, +)
        if before >= bounds.pageBytes { report(Violation("load-bounds", "\(before) \(name)")) }
        if before + (sizes.last ?? 0) >= bounds.pageBytes { reached(name) }
    }

    // MARK: Holds

    func held(_ work: HoldWork) {
        compare("hold-bounds", "workflows settled in a hold", work.settled, bounds.settledRuns)
        guard steps.last?.label == "timer" else { return }
        compare("hold-bounds", "due runs of a hold", work.decisions, bounds.dueRuns)
        compare("hold-bounds", "runs that leave in a hold", work.left, bounds.idleRuns)
        let before = work.entries - work.lastEntries
        if before >= bounds.dueEntries {
            report(Violation("hold-bounds", "\(before) entries in a hold before its last due run"))
        }
        if work.decisions > 0, work.entries >= bounds.dueEntries { reached("entries of due runs in a hold") }
    }

    private func compare(_ check: String, _ name: String, _ count: Int, _ bound: Int) {
        if count > bound { report(Violation(check, "\(count) \(name), and \(bound) are allowed")) }
        if count == bound { reached(name) }
    }

    /// What may be reached.
    static let names = [
        "lookups of a query", "runs of a list", "rows of a backlog", "bytes of a page of journals",
        "bytes of a page of heartbeats",
        "workflows settled in a hold", "due runs of a hold", "runs that leave in a hold",
        "entries of due runs in a hold",
    ]
}
