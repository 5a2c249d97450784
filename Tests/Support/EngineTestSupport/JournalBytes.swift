package import SagamoreEngine

/// One row of a run's journal: encoded events and encoded facts, either of which may be empty.
package struct JournalRow: Equatable, Sendable {
    package var events: [UInt8] = []
    package var facts: [UInt8] = []

    package init() {}

    package init(events: [UInt8], facts: [UInt8]) {
        self.events = events
        self.facts = facts
    }

    /// The durable entries of a decision; nil when it has none.
    package init?(_ decision: Decision) {
        for entry in decision.entries {
            switch entry {
            case .event(let event): events += event.frame
            case .fact(let fact): facts += fact.frame
            case .volatile: continue
            }
        }
        if events.isEmpty, facts.isEmpty { return nil }
    }

    /// Neighbors may share a row: their bytes are put together.
    package mutating func append(_ next: JournalRow) {
        events += next.events
        facts += next.facts
    }

    package func entries() throws -> [Entry] {
        try HistoryFrames.entries(events: events, facts: facts)
    }
}

/// Where the journal of one run is kept. The world writes to it and reads back what it wrote.
package protocol JournalBytes: AnyObject {
    func append(_ row: JournalRow) throws
    /// All rows, in the order in which they were appended; neighbors may have been put together.
    func rows() throws -> [JournalRow]
}

package final class MemoryJournal: JournalBytes {
    private var stored: [JournalRow] = []

    package init() {}

    package func append(_ row: JournalRow) { stored.append(row) }
    package func rows() -> [JournalRow] { stored }
}
