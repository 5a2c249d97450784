public import SagamoreEngine

/// A place in the journals of several runs, which stand in the order of their ids.
public struct JournalPosition: Sendable, Equatable {
    /// The run at whose journal the place is.
    public let runID: RunID
    /// The number of the last row or snapshot before the place; 0 at the beginning.
    public let sequence: Int64

    /// A place behind a row.
    public init(runID: RunID, sequence: Int64) {
        self.runID = runID
        self.sequence = sequence
    }
}

/// What a run is rebuilt from: its snapshot, where it has one, and the rows of its journal behind that.
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
    /// There is nothing behind these parts.
    public let isLast: Bool

    /// Parts, and whether they are the last ones.
    public init(parts: [JournalPart], isLast: Bool) {
        self.parts = parts
        self.isLast = isLast
    }
}

/// A place in the heartbeats of several runs, which stand in the order of their ids.
public struct HeartbeatPosition: Sendable, Equatable {
    /// The run at whose heartbeats the place is.
    public let runID: RunID
    /// The activity of the last row before the place; 0 at the beginning.
    public let scheduledEventID: Int64

    /// A place behind a row.
    public init(runID: RunID, scheduledEventID: Int64) {
        self.runID = runID
        self.scheduledEventID = scheduledEventID
    }

    /// The place before all rows.
    public static let beginning = HeartbeatPosition(runID: RunID(high: 0, low: 0), scheduledEventID: 0)
}

/// A part of the heartbeats of several runs.
public struct HeartbeatPage: Sendable {
    /// By run id and activity.
    public let rows: [HeartbeatRow]
    /// There is nothing behind these rows.
    public let isLast: Bool

    /// Rows, and whether they are the last ones.
    public init(rows: [HeartbeatRow], isLast: Bool) {
        self.rows = rows
        self.isLast = isLast
    }
}
