public import SagamoreEngine

/// A position in the journals of several runs, in the order of their ids.
public struct JournalPosition: Sendable, Equatable {
    /// The run whose journal contains the position.
    public let runID: RunID
    /// The number of the last row or snapshot before the position; 0 at the beginning.
    public let sequence: Int64

    /// A position after a row.
    public init(runID: RunID, sequence: Int64) {
        self.runID = runID
        self.sequence = sequence
    }
}

/// A part of what a run is rebuilt from: its snapshot, if it has one, or a later row of its journal.
public enum JournalPart: Sendable, Equatable {
    /// The state of a run: the first of its parts.
    case snapshot(SnapshotRow)
    /// A row of the journal.
    case row(JournalRow)

    /// The run that the part belongs to.
    public var runID: RunID {
        switch self {
        case .snapshot(let snapshot): snapshot.runID
        case .row(let row): row.runID
        }
    }

    /// The number by which parts of a run are in order.
    public var sequence: Int64 {
        switch self {
        case .snapshot(let snapshot): snapshot.sequence
        case .row(let row): row.sequence
        }
    }

    /// The size of what is stored, in bytes.
    public var byteCount: Int {
        switch self {
        case .snapshot(let snapshot): snapshot.state.count
        case .row(let row): row.events.count + row.facts.count
        }
    }
}

/// A part of the journals of several runs.
public struct JournalPage: Sendable {
    /// By run id and number.
    public let parts: [JournalPart]
    /// These parts are the last ones.
    public let isLast: Bool

    /// Parts, and whether they are the last ones.
    public init(parts: [JournalPart], isLast: Bool) {
        self.parts = parts
        self.isLast = isLast
    }
}

/// A position in the heartbeats of several runs, in the order of their ids.
public struct HeartbeatPosition: Sendable, Equatable {
    /// The run whose heartbeats contain the position.
    public let runID: RunID
    /// The activity of the last row before the position; 0 at the beginning.
    public let scheduledEventID: Int64

    /// A position after a row.
    public init(runID: RunID, scheduledEventID: Int64) {
        self.runID = runID
        self.scheduledEventID = scheduledEventID
    }

    /// The position before all rows.
    public static let beginning = HeartbeatPosition(runID: RunID(high: 0, low: 0), scheduledEventID: 0)
}

/// A part of the heartbeats of several runs.
public struct HeartbeatPage: Sendable {
    /// By run id and activity.
    public let rows: [HeartbeatRow]
    /// These rows are the last ones.
    public let isLast: Bool

    /// Rows, and whether they are the last ones.
    public init(rows: [HeartbeatRow], isLast: Bool) {
        self.rows = rows
        self.isLast = isLast
    }
}
