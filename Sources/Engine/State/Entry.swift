public import SagamoreAPI
public import SagamoreProtobuf

/// What `decide` appends and `apply` takes.
public enum Entry: Sendable {
    /// An event of the history.
    case event(RecordedEvent)
    /// A durable transition that history does not show.
    case fact(RecordedFact)
    /// A transition that is deliberately lost with the process: a started workflow task, a heartbeat.
    case volatile(VolatileChange)

    /// Whether the entry is written to the journal; a volatile change is not.
    public var isDurable: Bool {
        if case .volatile = self { return false }
        return true
    }
}

/// An event with its encoded form: one frame (tag, length, bytes) of the field `History.events`.
public final class RecordedEvent: Sendable {
    /// The event, decoded.
    public let event: HistoryEvent
    /// The encoded frame, ready to be appended to a history.
    public let frame: [UInt8]

    /// Encodes the event once, for the journal and for every reader.
    public init(_ event: consuming HistoryEvent) {
        var writer = ProtobufWriter(capacity: 512)
        writer.message(1, event)
        frame = writer.bytes()
        self.event = event
    }

    var id: Int64 { event.eventID }

    /// An event that was read back with its frame.
    public init(_ event: HistoryEvent, frame: [UInt8]) {
        self.event = event
        self.frame = frame
    }
}

/// A fact and its place in the history: after the event `afterEventID`.
public final class RecordedFact: Sendable {
    /// What happened.
    public let fact: Fact
    /// The id of the last event before it.
    public let afterEventID: Int64
    /// Its encoded form, see `FactCoding`.
    public let frame: [UInt8]

    public init(_ fact: Fact, afterEventID: Int64) {
        self.fact = fact
        self.afterEventID = afterEventID
        frame = FactCoding.frame(fact, afterEventID: afterEventID)
    }

    /// A fact that was read back with its frame.
    init(_ fact: Fact, afterEventID: Int64, frame: [UInt8]) {
        self.fact = fact
        self.afterEventID = afterEventID
        self.frame = frame
    }
}

/// A durable transition that is not an event.
public indirect enum Fact: Equatable, Sendable {
    /// The run was started by this command, so its status events have to be published.
    case commandAccepted(CommandOrigin)
    /// The run continues a chain that this command started, and that has published so many status events before it.
    case commandInherited(CommandOrigin, publishedStatusEvents: Int)
    /// An attempt of an activity was given to a worker.
    case activityStarted(ActivityStart)
    /// An attempt was given to a worker that did not receive it; the task is due again.
    case activityReturned(scheduledEventID: Int64, attempt: Int32, at: Instant)
    /// An attempt failed or timed out and the next one is due at a later time.
    case activityRetryScheduled(ActivityRetry)
    /// An event that is buffered until the running workflow task ends; it has no id yet.
    case eventBuffered(HistoryEvent)
    /// A workflow task was completed with this token.
    case workflowTaskCompleted(CompletedWorkflowTask)
    /// A further attempt of a failed workflow task, for which no event is written.
    case workflowTaskRetried(attempt: Int32, at: Instant)
    /// The id of a request that must not take effect twice.
    case requestSeen(String)
    /// An update that a reset carried over was rejected, which no event shows.
    case updateRejected(String)
    /// An operator paused an activity.
    case activityPaused(scheduledEventID: Int64, ActivityPause)
    /// An operator unpaused an activity.
    case activityUnpaused(ActivityUnpause)
    /// An operator let an activity start over.
    case activityReset(ActivityReset)
    /// An operator changed the options of an activity.
    case activityOptionsChanged(ActivityOptionsChange)
    /// A reset began the run: what the events do not say of it.
    case runReset(RunReset)
    /// The run belongs to a chain that a schedule started.
    case scheduled(Lineage.Schedule)
    /// A closed run has got the answer to what it owed from this event. An open run records answers as events.
    case debtSettled(eventID: Int64)

    /// A reset began a run.
    public struct RunReset: Equatable, Sendable {
        /// The id of the reset's request.
        public let requestID: String
        /// The id of the request that started the run whose history this one repeats.
        public let startRequestID: String
    }

    /// An attempt of an activity was handed to a worker.
    public struct ActivityStart: Equatable, Sendable {
        /// The activity, by the id of ActivityTaskScheduled.
        public let scheduledEventID: Int64
        /// The number of the attempt, from 1.
        public let attempt: Int32
        /// When the attempt started.
        public let at: Instant
        /// The worker that runs it.
        public let identity: String
        /// The id of the poll that took it.
        public let requestID: String
        /// The worker's build id.
        public let buildID: String
        /// Distinguishes this start from others of the same attempt: only the token of the newest start is valid.
        public let nonce: UInt64
    }

    /// An attempt of an activity failed and is to be repeated.
    public struct ActivityRetry: Equatable, Sendable {
        /// The activity, by the id of ActivityTaskScheduled.
        public let scheduledEventID: Int64
        /// The number of the next attempt.
        public let attempt: Int32
        /// When the next attempt is due.
        public let at: Instant
        /// When the attempt failed.
        public let failedAt: Instant
        /// Why it failed.
        public let failure: RawMessage<Failure>?
        /// The worker that ran it.
        public let workerIdentity: String
        /// The details of its last heartbeat, which the next attempt receives.
        public let heartbeatDetails: RawMessage<Payloads>?
        /// When they arrived; nil where there are none.
        public let heartbeatAt: Instant?
    }

    /// An operator unpaused an activity.
    public struct ActivityUnpause: Equatable, Sendable {
        /// The activity, by the id of ActivityTaskScheduled.
        public let scheduledEventID: Int64
        /// When the waiting attempt is due; nil when a worker runs it.
        public let dueAt: Instant?
        /// Whether the attempt is the first one again.
        public let resetsAttempts: Bool
        /// Whether the details of the last heartbeat are forgotten.
        public let resetsHeartbeat: Bool

        public init(scheduledEventID: Int64, dueAt: Instant?, resetsAttempts: Bool, resetsHeartbeat: Bool) {
            self.scheduledEventID = scheduledEventID
            self.dueAt = dueAt
            self.resetsAttempts = resetsAttempts
            self.resetsHeartbeat = resetsHeartbeat
        }
    }

    /// An operator let an activity start over.
    public struct ActivityReset: Equatable, Sendable {
        /// The activity, by the id of ActivityTaskScheduled.
        public let scheduledEventID: Int64
        /// When the first attempt is due; nil when a worker runs an attempt, or the activity stays paused.
        public let dueAt: Instant?
        /// Whether it is unpaused.
        public let unpauses: Bool
        /// Whether the next attempt gets no heartbeat details.
        public let resetsHeartbeat: Bool

        public init(scheduledEventID: Int64, dueAt: Instant?, unpauses: Bool, resetsHeartbeat: Bool) {
            self.scheduledEventID = scheduledEventID
            self.dueAt = dueAt
            self.unpauses = unpauses
            self.resetsHeartbeat = resetsHeartbeat
        }
    }

    /// An operator changed the options of an activity.
    public struct ActivityOptionsChange: Equatable, Sendable {
        /// The activity, by the id of ActivityTaskScheduled.
        public let scheduledEventID: Int64
        /// All its options from now on.
        public let options: ActivitySettings
        /// When the waiting attempt is due; nil when a worker runs it.
        public let dueAt: Instant?

        public init(scheduledEventID: Int64, options: ActivitySettings, dueAt: Instant?) {
            self.scheduledEventID = scheduledEventID
            self.options = options
            self.dueAt = dueAt
        }
    }

    /// A worker completed a workflow task.
    public struct CompletedWorkflowTask: Equatable, Sendable {
        /// The id of the task's WorkflowTaskScheduled.
        public let scheduledEventID: Int64
        /// The id of the task's WorkflowTaskStarted.
        public let startedEventID: Int64
        /// Together with the epoch, identifies the completion's token, so that a repeated completion is recognized.
        public let nonce: UInt64
        /// The owner's epoch when the task was started.
        public let epoch: Int64
        /// The worker's sticky queue; empty if it offered none.
        public let stickyQueue: String
        /// How long a task may wait in the sticky queue before any worker may take it.
        public let stickyScheduleToStart: Interval
        /// The eager activities that were part of the answer.
        public let eagerActivities: [Int64]

        /// The same completion of a worker without a sticky queue.
        var withoutStickyQueue: CompletedWorkflowTask {
            CompletedWorkflowTask(
                scheduledEventID: scheduledEventID,
                startedEventID: startedEventID,
                nonce: nonce,
                epoch: epoch,
                stickyQueue: "",
                stickyScheduleToStart: stickyScheduleToStart,
                eagerActivities: eagerActivities
            )
        }
    }
}

/// A change in memory only.
public indirect enum VolatileChange: Sendable {
    /// A worker took the workflow task.
    case workflowTaskStarted(StartedWorkflowTask)
    /// The sticky worker is gone: the pending task goes to the normal queue.
    case stickyAbandoned
    /// A running activity sent a heartbeat.
    case heartbeat(scheduledEventID: Int64, details: RawMessage<Payloads>?, at: Instant)
    /// An update came. The next workflow task takes it to a worker.
    case updateAdmitted(PendingUpdate)
    /// These updates have been answered without an event.
    case updatesSettled([String])
    /// A speculative workflow task is due.
    case workflowTaskSpeculated(WorkflowTask)
    /// The speculative workflow task has ended without a trace.
    case workflowTaskDiscarded
    /// A deadline replaces an earlier one of the same subject.
    case deadlineMoved(Deadline)
}
