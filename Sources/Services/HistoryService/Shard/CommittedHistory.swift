internal import SagamoreEngine

/// What stands in the database of a run's history. Followers are shown this much while newer events are on their way:
/// of a busy run some always are.
struct CommittedHistory: Equatable {
    /// The id of the newest event; 0 where the run itself is not committed.
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

    /// Whether there is something to tell somebody who has seen the events up to an id, or waits for the last one only.
    func hasNews(after eventID: Int64, onlyCloseEvent: Bool) -> Bool {
        isClosed || (!onlyCloseEvent && lastEventID > eventID)
    }
}
