internal import SagamoreAPI
internal import SagamoreProtobuf

/// A decision in progress. It assigns event ids and tracks the changes of its entries, so that the execution need not
/// be copied.
struct Draft {
    let now: Instant
    private(set) var nextEventID: Int64
    private(set) var addedBytes: Int64 = 0
    var decision = Decision()
    var isClosed = false
    var addedActivities: [Int64: PendingActivity] = [:]
    var addedActivityIDs: Set<ExactText> = []
    var addedTimers: [ExactText: Int64] = [:]
    var removedTimers: Set<Int64> = []
    /// The activities that ended in this decision, and those whose cancellation was requested.
    var removedActivities: Set<Int64> = []
    var cancelledActivities: Set<Int64> = []
    /// The numbers of children, signals and cancel requests that were initiated in this decision.
    var addedChildren = 0
    var addedSignals = 0
    var addedCancels = 0
    /// The timers, by their started events, whose cancellation withdraws their buffered firing.
    var droppedFirings: Set<Int64> = []

    /// What the events of the command that is carried out belong to, as the worker says.
    var eventGroupMarkers: [EventGroupMarker] = []
    /// What becomes of updates.
    var updates = DraftUpdates()
    /// Whether the speculative task is written by this decision.
    var hasWrittenSpeculativeTask = false

    init(_ execution: borrowing Execution, at now: Instant) {
        self.now = now
        nextEventID = execution.nextEventID
    }

    var lastEventID: Int64 { nextEventID - 1 }

    /// Appends an event.
    @discardableResult
    mutating func event(
        _ type: EventType,
        _ attributes: HistoryEvent.OneOf_Attributes,
        at time: Instant? = nil,
        userMetadata: RawMessage<UserMetadata>? = nil,
        links: [Link] = [],
        workerMayIgnore: Bool = false
    ) -> RecordedEvent {
        var event = HistoryEvent()
        event.eventTime = (time ?? now).timestamp
        event.eventType = type
        event.attributes = attributes
        event.userMetadata = userMetadata
        event.links = links
        event.workerMayIgnore = workerMayIgnore
        event.eventGroupMarkers = eventGroupMarkers
        return append(event)
    }

    /// Appends an existing event with the next id.
    @discardableResult
    mutating func append(_ event: consuming HistoryEvent) -> RecordedEvent {
        event.eventID = nextEventID
        event.taskID = nextEventID
        nextEventID += 1
        let recorded = RecordedEvent(event)
        addedBytes += Int64(recorded.frame.count)
        decision.entries.append(.event(recorded))
        return recorded
    }

    mutating func fact(_ fact: Fact) {
        decision.entries.append(.fact(RecordedFact(fact, afterEventID: lastEventID)))
    }

    mutating func volatile(_ change: VolatileChange) {
        decision.entries.append(.volatile(change))
    }
}

extension Draft {
    /// Appends an event from outside of workflow code. It is buffered while a worker holds a workflow task, so that the
    /// history does not change under that.
    mutating func outside(
        _ execution: Execution,
        _ type: EventType,
        _ attributes: HistoryEvent.OneOf_Attributes,
        at time: Instant? = nil,
        links: [Link] = [],
        workerMayIgnore: Bool = false
    ) {
        writeSpeculativeTask(of: execution)
        guard execution.buffersEvents else {
            event(type, attributes, at: time, links: links, workerMayIgnore: workerMayIgnore)
            return
        }
        var buffered = HistoryEvent()
        buffered.eventTime = (time ?? now).timestamp
        buffered.eventType = type
        buffered.attributes = attributes
        buffered.links = links
        buffered.workerMayIgnore = workerMayIgnore
        fact(.eventBuffered(buffered))
    }
}
