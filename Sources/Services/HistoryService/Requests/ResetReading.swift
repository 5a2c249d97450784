internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence

/// What a reset reads of journals, page by page: the history before its point, which the new run repeats, and what came
/// behind the point, in the base and in the runs that continued it as new.
///
/// It holds one page and what the new run keeps, however long the histories are. Used in the loader's turns.
struct ResetReading {
    /// The base, as far as it is known before its journal is read.
    struct Base: Sendable {
        let runID: RunID
        let startRequestID: String
        let row: RunRow
    }

    /// What to read next.
    struct Question {
        let runID: RunID
        let from: Int64
    }

    let request: ResetRequest
    let base: Base
    /// The newest run of the workflow; if it is open, up to which event its journal is read.
    let current: (runID: RunID, lastEventID: Int64?)
    private(set) var replay: JournalReplay
    private(set) var point = ResetPoint()
    /// The rows of the base's journal that the new run repeats as a whole, and the number of the last one.
    private(set) var wholeRows: Int64 = 0
    private(set) var lastWholeSequence: Int64 = 0
    /// The events before the point that share a row with events behind it.
    private(set) var remainder: (firstEventID: Int64, frames: [UInt8])?
    private(set) var reapplied: [HistoryEvent] = []
    private var reappliedBytes: Int64 = 0
    /// The run that is being read, and the runs that were.
    private var reading: RunID
    private var visited: Set<RunID> = []
    private var nextEventID: Int64 = 1
    private var successor: RunID?
    private(set) var isFinished = false

    /// - Parameter runID: the id of the new run.
    init(
        _ request: ResetRequest,
        base: Base,
        current: (runID: RunID, lastEventID: Int64?),
        runID: RunID,
        at now: Instant
    ) {
        self.request = request
        self.base = base
        self.current = current
        reading = base.runID
        let row = RunRow(
            runID: runID,
            key: base.row.key,
            workflowType: base.row.workflowType,
            taskQueue: base.row.taskQueue,
            startRequestID: base.startRequestID,
            status: .running,
            startedAt: now,
            closedAt: nil,
            historyLength: 0,
            historyBytes: 0
        )
        replay = JournalReplay(row, at: now)
    }

    /// The new run, with the events before the point.
    var run: CachedRun { replay.run }

    var question: Question { Question(runID: reading, from: nextEventID) }

    /// Whether the run is the last of the chain that begins with the base, so that what ends it counts, too.
    func endsChain(_ runID: RunID) -> Bool { reading == runID }

    /// Takes the answer to `question`.
    ///
    /// - Throws: `RequestError` if the point is not one, or too much would be applied again.
    mutating func take(_ rows: [JournalRow], _ limits: Limits) throws {
        let before = nextEventID
        for row in rows {
            let events = try HistoryFrames.decode(row.events).drop { $0.event.eventID < nextEventID }
            guard let last = events.last else { continue }
            let isWhole = events.count == (try HistoryFrames.ends(row.events).count)
            try take(events, sequence: row.sequence, first: row.firstEventID, isWhole: isWhole, limits)
            nextEventID = last.event.eventID + 1
        }
        if reading == base.runID, nextEventID <= request.eventID, nextEventID == before {
            throw RequestError.runNotFound(base.row.key.workflowID, base.runID)
        }
        // A run that was deleted has no rows, and ends the chain.
        if rows.isEmpty || nextEventID == before || hasAll { endRun() }
    }

    /// Whether all that counts of the run was read.
    private var hasAll: Bool {
        if reading == base.runID, nextEventID <= request.eventID { return false }
        if request.reappliesNothing { return true }
        if reading == current.runID, let last = current.lastEventID { return nextEventID > last }
        return false
    }

    private mutating func take(
        _ events: ArraySlice<RecordedEvent>,
        sequence: Int64,
        first: Int64,
        isWhole: Bool,
        _ limits: Limits
    ) throws {
        var rest = events
        if reading == base.runID, let begin = events.first?.event.eventID, begin < request.eventID {
            let repeated = events.prefix { $0.event.eventID < request.eventID }
            rest = events[repeated.endIndex...]
            for recorded in repeated { point.take(recorded.event) }
            if rest.isEmpty, isWhole {
                wholeRows += 1
                lastWholeSequence = sequence
            } else {
                remainder = (begin, repeated.flatMap(\.frame))
            }
            try replay.repeating(repeated, sequence: lastWholeSequence)
        }
        for recorded in rest {
            let event = recorded.event
            if reading == base.runID, event.eventID == request.eventID { try point.check(event) }
            if reading == current.runID, let last = current.lastEventID, event.eventID > last { return }
            if case .workflowExecutionContinuedAsNewEventAttributes(let attributes) = event.attributes {
                successor = RunID(attributes.newExecutionRunID)
            }
            guard let again = request.reapplied(event) else { continue }
            reapplied.append(again)
            reappliedBytes += Int64(recorded.frame.count)
            guard run.execution.durable.historyBytes + reappliedBytes <= limits.historyBytes else {
                throw RequestError.invalidArgument("exceeded workflow execution limit for history size")
            }
        }
    }

    private mutating func endRun() {
        visited.insert(reading)
        guard let next = successor, !visited.contains(next), !request.reappliesNothing else {
            isFinished = true
            return
        }
        successor = nil
        reading = next
        nextEventID = 1
    }
}
