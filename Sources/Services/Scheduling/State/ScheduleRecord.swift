public import SagamoreAPI
public import SagamoreEngine
public import SagamoreProtobuf

/// What a schedule is and has done: everything that outlives the server.
public struct ScheduleRecord: Equatable, Sendable {
    /// The number of its namespace.
    public let namespace: Int32
    /// Its id, unique in the namespace.
    public let id: String
    /// Tells it from another schedule that had the same id before.
    public let instance: RunID
    /// What clients have defined, in its canonical form.
    public internal(set) var definition: Schedule
    /// As clients gave it.
    public internal(set) var memo: RawMessage<Memo>?
    /// As clients gave them, with their types.
    public internal(set) var searchAttributes: RawMessage<SearchAttributes>?
    /// What it has done, and what it is about.
    public internal(set) var progress: ScheduleProgress

    /// A schedule as it was stored.
    public init(
        namespace: Int32,
        id: String,
        instance: RunID,
        definition: Schedule,
        memo: RawMessage<Memo>?,
        searchAttributes: RawMessage<SearchAttributes>?,
        progress: ScheduleProgress
    ) {
        self.namespace = namespace
        self.id = id
        self.instance = instance
        self.definition = definition
        self.memo = memo
        self.searchAttributes = searchAttributes
        self.progress = progress
    }

    /// The least number of seconds that a start may be late and still take place.
    static let shortestCatchUp = Interval.seconds(10)
    /// A year, unless the schedule says something else.
    static let defaultCatchUp = Interval.seconds(365 * 86_400)

    /// Whether it takes no action at its times.
    public var isPaused: Bool { definition.state?.paused ?? false }

    /// Whether it has a limit of actions, and has reached it.
    var isExhausted: Bool { (definition.state?.limitedActions ?? false) && definition.state?.remainingActions == 0 }

    /// Whether a start at one of its times may take place.
    var takesActions: Bool { !isPaused && !isExhausted }

    /// What it starts; nil for a schedule that does nothing.
    var workflow: NewWorkflowExecutionInfo? {
        if case .startWorkflow(let workflow)? = definition.action?.action { workflow } else { nil }
    }

    var overlapPolicy: ScheduleOverlapPolicy { definition.policies?.overlapPolicy ?? .skip }

    /// What readers show with their next change, so that a change of what they have read is seen.
    public var conflictToken: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: progress.version >> (56 - 8 * $0)) }
    }
}

/// What a schedule has done, and what it is about.
public struct ScheduleProgress: Equatable, Sendable {
    /// Counts the changes of the definition.
    var version: Int64 = 1
    /// Counts, times and the newest actions, as the contract shows them. What follows from other fields is not set.
    var info = ScheduleInfo()
    /// All nominal times up to here are decided.
    var processedTo: Instant
    /// Starts that wait for their turn, in order.
    var buffer: [DueStart] = []
    /// Starts that were decided, and whose outcome is not known.
    public internal(set) var starting: [PendingStart] = []
    /// The open runs that other starts have regard to.
    public internal(set) var running: [TrackedRun] = []
    /// What is to be filled in, the oldest first.
    var backfills: [Backfill] = []
    /// How many starts and backfills somebody asked for.
    var manualCount: Int64 = 0
    /// The last result of a run that had one, for the next run.
    var lastResult: RawMessage<Payloads>?
    /// The failure of the last run, if it failed, for the next run.
    var lastFailure: RawMessage<Failure>?
    /// The requests that were carried out last.
    var requestIDs: [String] = []

    init(createdAt: Instant) {
        processedTo = createdAt
        info.createTime = createdAt.timestamp
    }

    /// When the schedule was created.
    public var createdAt: Instant { info.createTime.map { Instant($0) } ?? .distantPast }

    /// How many requests are remembered.
    private static let rememberedRequests = 20

    /// Whether a request was carried out before. Remembers it otherwise.
    mutating func isRepeated(_ requestID: String) -> Bool {
        if requestID.isEmpty { return false }
        if requestIDs.contains(where: { $0.utf8.elementsEqual(requestID.utf8) }) { return true }
        requestIDs = requestIDs.suffix(Self.rememberedRequests - 1) + [requestID]
        return false
    }
}
