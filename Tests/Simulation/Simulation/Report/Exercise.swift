/// What was exercised: how often each thing occurred. What has never occurred is listed too, so that one sees it.
public struct Exercise: Sendable {
    /// A table of a report.
    public enum Table: String, CaseIterable, Sendable {
        /// Faults that were injected.
        case faults
        /// Steps that clients and workers took.
        case requests
        /// Events that were committed.
        case events
        /// Records that Sagamore published, by the status of events.
        case published
        /// States that the service reached.
        case states
        /// Bounds of work that were met.
        case bounds
        /// How runs closed.
        case ends
        /// What checks looked at.
        case checks
    }

    private var counts: [Table: [String: Int]] = [:]

    /// Nothing yet.
    public init() {}

    /// Counts an occurrence.
    public mutating func count(_ table: Table, _ name: String, _ number: Int = 1) {
        counts[table, default: [:]][name, default: 0] += number
    }

    /// Names what could occur, with the count of nothing.
    public mutating func expect(_ table: Table, _ names: some Sequence<String>) {
        for name in names { counts[table, default: [:]][name, default: 0] += 0 }
    }

    /// How often something occurred.
    public func number(_ table: Table, _ name: String) -> Int { counts[table]?[name] ?? 0 }

    /// Adds what another world exercised.
    public mutating func add(_ other: Exercise) {
        for (table, names) in other.counts {
            for (name, number) in names { count(table, name, number) }
        }
    }

    /// The rows of a table by name, and those of what never occurred last.
    public func rows(_ table: Table) -> [(name: String, count: Int)] {
        (counts[table] ?? [:]).sorted { ($0.value == 0 ? 1 : 0, $0.key) < ($1.value == 0 ? 1 : 0, $1.key) }
            .map { ($0.key, $0.value) }
    }
}
