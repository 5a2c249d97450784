internal import SagamoreEngine

/// How much of a run's history is committed. Followers see this part while newer events are being written. A busy run
/// is always writing newer events.
struct CommittedHistory: Equatable {
    /// The id of the newest committed event; 0 if not even the run's first row is committed.
    private(set) var lastEventID: Int64 = 0
    private(set) var isClosed = false

    /// Nothing is committed.
    init() {}

    init(lastEventID: Int64, isClosed: Bool) {
        self.lastEventID = lastEventID
        self.isClosed = isClosed
    }

    /// All of `execution` is committed.
    init(_ execution: SagamoreEngine.Execution) {
        lastEventID = execution.durable.lastEventID
        isClosed = !execution.isRunning
    }

    /// Whether a run is stored at all.
    var isStored: Bool { lastEventID > 0 }

    /// A later transition is committed.
    mutating func advance(to next: CommittedHistory) {
        precondition(next.lastEventID >= lastEventID, "a history was committed out of order")
        precondition(!isClosed || next.isClosed, "a closed run was committed as open")
        self = next
    }

    /// Whether to notify a follower that has seen the events up to `eventID`, or that waits only for the close event.
    func hasNewEvents(after eventID: Int64, onlyCloseEvent: Bool) -> Bool {
        isClosed || (!onlyCloseEvent && lastEventID > eventID)
    }
}
