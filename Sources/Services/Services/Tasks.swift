public import SagamoreAPI
public import SagamoreEngine
public import SagamoreProtobuf

/// A task queue: workers poll it by name, workflow and activity tasks apart.
public struct TaskQueueKey: Hashable, Sendable {
    /// What kind of tasks the queue holds.
    public enum Kind: Hashable, Sendable {
        /// Tasks for workflow code, or for activities.
        case workflow, activity
    }

    /// The namespace's number in the registry.
    public let namespace: Int32
    /// The queue's name, as workers poll it.
    public let name: String
    /// The kind of its tasks; queues of both kinds may share a name.
    public let kind: Kind

    public init(namespace: Int32, name: String, kind: Kind) {
        self.namespace = namespace
        self.name = name
        self.kind = kind
    }

    /// Compares bytes, as the database does.
    public static func == (left: TaskQueueKey, right: TaskQueueKey) -> Bool {
        left.namespace == right.namespace && left.kind == right.kind && left.name.hasSameBytes(as: right.name)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(namespace)
        hasher.combine(kind)
        hasher.combine(bytesOf: name)
    }

    /// The stored form of the queue: `1/workflow/name`.
    public var storedName: String { "\(namespace)/\(kind == .workflow ? "workflow" : "activity")/\(name)" }

    /// Parses `storedName`.
    public init?(storedName: String) {
        // Not by characters: a combining accent at the start of the name would merge with the slash.
        let parts = storedName.unicodeScalars.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            .map { String($0) }
        guard parts.count == 3, let namespace = Int32(parts[0]) else { return nil }
        self.init(namespace: namespace, name: parts[2], kind: parts[1] == "workflow" ? .workflow : .activity)
    }
}

/// A task as Matching holds it: a reference to what is due. History decides at its start whether it still is.
public struct MatchingTask: Sendable, Equatable {
    /// What is due.
    public enum Kind: Sendable, Equatable {
        /// - Parameter isSticky: whether it waits on the queue of the worker that has the run in its cache.
        case workflow(WorkflowTaskStamp, isSticky: Bool)
        /// An attempt of an activity, by the id of ActivityTaskScheduled.
        case activity(scheduledEventID: Int64, attempt: Int32)
        /// A query that no workflow task carries, by its number in the shard.
        case query(UInt64, isSticky: Bool)
    }

    /// The queue whose pollers may get it.
    public let queue: TaskQueueKey
    /// The workflow that it belongs to.
    public let key: WorkflowKey
    /// The run that it belongs to.
    public let runID: RunID
    /// What is due.
    public let kind: Kind
    /// Its place among the queue's tasks: the part of its route that Matching orders by.
    public let priority: TaskPriority
    /// Its place among the queue's tasks of the same priority, the least first. Matching gives it to each task that has
    /// to wait, and a task that waits in the database keeps it.
    public var place: Int64?
    /// When it became due, if it has to wait.
    public var since: Instant?
    /// About what is kept in memory while the task waits there: its share of the run.
    public let bytes: Int

    /// What a task itself keeps in memory, in bytes.
    public static let own = 512

    /// What the shortest run keeps in memory, in bytes: measured with 20,000 of them, each with an activity.
    public static let smallest = 4_096

    public init(
        queue: TaskQueueKey,
        key: WorkflowKey,
        runID: RunID,
        kind: Kind,
        priority: TaskPriority = .standard,
        place: Int64? = nil,
        since: Instant? = nil,
        bytes: Int = Self.smallest
    ) {
        self.queue = queue
        self.key = key
        self.runID = runID
        self.kind = kind
        self.priority = priority
        self.place = place
        self.since = since
        self.bytes = bytes
    }

    /// Whether it waits on a sticky queue.
    public var isSticky: Bool {
        switch kind {
        case .workflow(_, let isSticky), .query(_, let isSticky): isSticky
        case .activity: false
        }
    }
}

/// The worker and the connection of a poll.
public struct PollerIdentity: Sendable {
    /// The worker's identity, as it gives it.
    public let identity: String
    /// The id of this poll, which the Started event contains.
    public let requestID: String
    /// The build of the worker's code; may be empty.
    public let buildID: String
    /// The worker's instance key, new with each start; empty for old SDKs.
    public let instanceKey: String
    /// The number of the poll's connection; nil for polls from this process.
    public let connectionID: UInt64?
    /// The rate that the worker asks for the whole task queue, in tasks per second; nil for none.
    public let tasksPerSecond: Double?

    public init(
        identity: String,
        requestID: String,
        buildID: String,
        instanceKey: String = "",
        connectionID: UInt64? = nil,
        tasksPerSecond: Double? = nil
    ) {
        self.identity = identity
        self.requestID = requestID
        self.buildID = buildID
        self.instanceKey = instanceKey
        self.connectionID = connectionID
        self.tasksPerSecond = tasksPerSecond
    }
}

/// A worker that shuts down.
public struct DepartingWorker: Sendable {
    /// The number of its namespace.
    public let namespace: Int32
    /// Its sticky queue; empty when it has none.
    public let stickyQueue: String
    /// The worker's identity, as it gives it. Other workers may have the same identity.
    public let identity: String
    /// The worker's instance key, new with each start; empty for old SDKs.
    public let instanceKey: String

    public init(namespace: Int32, stickyQueue: String, identity: String, instanceKey: String = "") {
        self.namespace = namespace
        self.stickyQueue = stickyQueue
        self.identity = identity
        self.instanceKey = instanceKey
    }

    /// Whether a poll is this worker's. When one of the two has no instance key, the identity decides.
    public func isPoller(_ poller: PollerIdentity) -> Bool {
        if instanceKey.isEmpty || poller.instanceKey.isEmpty { return poller.identity == identity }
        return poller.instanceKey == instanceKey
    }
}

/// The result of a poll for workflow tasks.
public enum PolledWorkflowTask: Sendable {
    /// A workflow task; it may carry queries as well.
    case task(AssignedWorkflowTask)
    /// A query by itself.
    case query(AssignedQuery)
    /// No task in time: the worker polls again.
    case none
}

/// A workflow task for a worker.
public struct AssignedWorkflowTask: Sendable {
    /// The workflow that the task belongs to.
    public let key: WorkflowKey
    /// The run that the task belongs to.
    public let runID: RunID
    /// The engine's part of the task.
    public let delivery: WorkflowTaskDelivery
    /// The token that the worker returns with its answer.
    public let token: [UInt8]
    /// Encoded frames of `History.events`: the whole history, or the events that a sticky worker has not seen. Ends
    /// with WorkflowTaskStarted unless `nextPageToken` is set.
    public let history: [UInt8]
    /// The page token for GetWorkflowExecutionHistory; empty when `history` is complete.
    public let nextPageToken: [UInt8]
    /// Queries to answer with the completion, by their ids.
    public let queries: ProtobufMap<WorkflowQuery>
    /// How many polls more or fewer the worker should keep, as Matching sees it.
    public var pollerDelta: Int32 = 0

    public init(
        key: WorkflowKey,
        runID: RunID,
        delivery: WorkflowTaskDelivery,
        token: [UInt8],
        history: [UInt8],
        nextPageToken: [UInt8],
        queries: ProtobufMap<WorkflowQuery>
    ) {
        self.key = key
        self.runID = runID
        self.delivery = delivery
        self.token = token
        self.history = history
        self.nextPageToken = nextPageToken
        self.queries = queries
    }
}

/// A query as a task of its own.
public struct AssignedQuery: Sendable {
    /// The workflow that is asked.
    public let key: WorkflowKey
    /// The run that is asked.
    public let runID: RunID
    /// The workflow's type, by which the worker finds its code.
    public let workflowType: String
    /// The token that the worker returns with its answer.
    public let token: [UInt8]
    /// The query.
    public let query: WorkflowQuery
    /// The history; empty for a sticky worker, which has the run.
    public let history: [UInt8]
    /// The page token of the rest of the history; empty when it is complete.
    public let nextPageToken: [UInt8]
    /// The id of the last WorkflowTaskStarted that a worker completed.
    public let previousStartedEventID: Int64

    public init(
        key: WorkflowKey,
        runID: RunID,
        workflowType: String,
        token: [UInt8],
        query: WorkflowQuery,
        history: [UInt8],
        nextPageToken: [UInt8],
        previousStartedEventID: Int64
    ) {
        self.key = key
        self.runID = runID
        self.workflowType = workflowType
        self.token = token
        self.query = query
        self.history = history
        self.nextPageToken = nextPageToken
        self.previousStartedEventID = previousStartedEventID
    }
}

/// An attempt of an activity for a worker.
public struct AssignedActivityTask: Sendable {
    /// The workflow that the activity belongs to.
    public let key: WorkflowKey
    /// The run that the activity belongs to.
    public let runID: RunID
    /// The engine's part of the attempt.
    public let delivery: ActivityTaskDelivery
    /// The token that the worker returns with its answer.
    public let token: [UInt8]
    /// How many polls more or fewer the worker should keep, as Matching sees it.
    public var pollerDelta: Int32 = 0

    /// Creates an attempt and its token.
    public init(key: WorkflowKey, runID: RunID, delivery: ActivityTaskDelivery) {
        self.key = key
        self.runID = runID
        self.delivery = delivery
        token = TaskToken.activity(Self.token(key, runID, delivery)).bytes
    }

    /// The contents of its token.
    public var activityToken: ActivityTaskToken { Self.token(key, runID, delivery) }

    private static func token(_ key: WorkflowKey, _ runID: RunID, _ delivery: ActivityTaskDelivery) -> ActivityTaskToken
    {
        ActivityTaskToken(
            key: key,
            runID: runID,
            scheduledEventID: delivery.activity.scheduledEventID,
            attempt: delivery.activity.attempt,
            nonce: delivery.nonce
        )
    }
}

/// The answer to a completed workflow task.
public struct CompletedWorkflowTask: Sendable {
    /// Activities that the worker runs without a poll.
    public let eagerActivities: [AssignedActivityTask]
    /// The next workflow task, when one is due and the worker asked for it.
    public let nextTask: AssignedWorkflowTask?
    /// The event to which the worker goes back because its task has left no trace; nil when it was written.
    public let resetHistoryEventID: Int64?

    public init(
        eagerActivities: [AssignedActivityTask],
        nextTask: AssignedWorkflowTask?,
        resetHistoryEventID: Int64? = nil
    ) {
        self.eagerActivities = eagerActivities
        self.nextTask = nextTask
        self.resetHistoryEventID = resetHistoryEventID
    }
}
