public import SagamoreAPI
public import SagamoreProtobuf

/// Where a run stands among the runs that it belongs to: its chain, its parent, and what they leave it.
public struct Lineage: Equatable, Sendable {
    /// A run of another workflow that started this one as its child.
    public struct Parent: Equatable, Sendable {
        /// The id of the parent's namespace.
        public let namespaceID: String
        /// The name of the parent's namespace.
        public let namespaceName: String
        /// The parent's workflow id.
        public let workflowID: String
        /// The run of the parent that owns this child.
        public let runID: RunID
        /// The id of the parent's StartChildWorkflowExecutionInitiated.
        public let initiatedEventID: Int64

        /// A parent with the event that names the child.
        public init(
            namespaceID: String,
            namespaceName: String,
            workflowID: String,
            runID: RunID,
            initiatedEventID: Int64
        ) {
            self.namespaceID = namespaceID
            self.namespaceName = namespaceName
            self.workflowID = workflowID
            self.runID = runID
            self.initiatedEventID = initiatedEventID
        }
    }

    /// The schedule that started a chain, and is told how its last run ends.
    public struct Schedule: Equatable, Sendable {
        /// The schedule's id, in the run's namespace.
        public let scheduleID: String
        /// Tells it from another schedule that had the same id before.
        public let instance: RunID
        /// Which of the schedule's starts it was.
        public let startID: String

        /// A schedule with its start.
        public init(scheduleID: String, instance: RunID, startID: String) {
            self.scheduleID = scheduleID
            self.instance = instance
            self.startID = startID
        }
    }

    /// The topmost run of a tree of children.
    public struct Root: Equatable, Sendable {
        /// The root's workflow id.
        public let workflowID: String
        /// The root's run id.
        public let runID: RunID

        /// A root by its ids.
        public init(workflowID: String, runID: RunID) {
            self.workflowID = workflowID
            self.runID = runID
        }
    }

    /// Why the chain goes on with this run; unspecified for the first run of a chain.
    public var initiator = ContinueAsNewInitiator.unspecified
    /// The run that this one continues; nil for the first run of a chain.
    public var continuedRunID: RunID?
    /// The ids of messages from other workflows that earlier runs of the chain have taken and that may come again.
    public var messageIDs: [String] = []
    /// The first run of the chain; nil when it is this one.
    public var firstRunID: RunID?
    /// The attempt of a chain that retries, from 1.
    public var attempt: Int32 = 1
    /// How long the first workflow task waits, besides a start delay.
    public var firstTaskBackoff = Interval.zero
    /// When the time of the whole chain is over; nil for a first run, whose execution timeout decides, and without one.
    public var expiration: Instant?
    /// The parent, if the run is a child.
    public var parent: Parent?
    /// The schedule, if one started the chain. It has no parent, then.
    public var schedule: Schedule?
    /// The root of the tree; nil when it is this run.
    public var root: Root?
    /// The failure of the chain's run before, if it failed.
    public var lastFailure: RawMessage<Failure>?
    /// The result of the last run of the chain that completed.
    public var lastCompletionResult: RawMessage<Payloads>?
    /// Where builds of the workers have begun to work on earlier runs of the chain; nil for a first run.
    public var resetPoints: ResetPoints?
    /// The number of status events that earlier runs of the chain have published about the command that began it.
    public var publishedStatusEvents = 0

    /// A run that is the first of its chain, and nobody's child.
    public init() {}
}
