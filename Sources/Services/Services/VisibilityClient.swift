public import SagamoreAPI
public import SagamoreEngine

/// The service that finds runs. What was acknowledged before a question is found by it.
public protocol VisibilityClient: Sendable {
    /// A page of the runs that a filter describes.
    ///
    /// Fails with `invalidArgument` for a filter that is wrong, or a token of another list.
    func list(_ request: ListRequest, reply: Reply<ListedRuns>)
    /// The number of runs that a filter describes; with GROUP BY of each group.
    ///
    /// Fails with `invalidArgument` for a filter that is wrong.
    func count(_ query: String, in namespace: NamespaceRecord, reply: Reply<[CountedRuns]>)
}

/// The service that finds schedules, by their ids, their pauses and their search attributes.
public protocol ScheduleVisibility: Sendable {
    /// A page of the schedules that a filter describes, the newest first.
    ///
    /// Fails with `invalidArgument` for a filter that is wrong, or a token of another list.
    func listSchedules(_ request: ListRequest, reply: Reply<ListedSchedules>)
    /// The number of schedules that a filter describes.
    ///
    /// Fails with `invalidArgument` for a filter that is wrong.
    func countSchedules(_ query: String, in namespace: NamespaceRecord, reply: Reply<Int64>)
}

/// A page of a list of schedules.
public struct ListedSchedules: Sendable {
    /// The schedules, in the list's order.
    public let schedules: [ListedSchedule]
    /// Where the next page begins; empty behind the last one.
    public let token: [UInt8]

    public init(schedules: [ListedSchedule], token: [UInt8]) {
        self.schedules = schedules
        self.token = token
    }
}

/// A schedule of a list, as it is stored.
public struct ListedSchedule: Sendable {
    /// Its id.
    public let id: String
    /// Tells it from another schedule that had the same id before.
    public let instance: RunID
    /// An encoded `Schedule` message.
    public let definition: [UInt8]
    /// What it has done, as the service of schedules encodes it.
    public let progress: [UInt8]
    /// An encoded `Memo` message.
    public let memo: [UInt8]?
    /// An encoded `SearchAttributes` message.
    public let searchAttributes: [UInt8]?

    public init(
        id: String,
        instance: RunID,
        definition: [UInt8],
        progress: [UInt8],
        memo: [UInt8]?,
        searchAttributes: [UInt8]?
    ) {
        self.id = id
        self.instance = instance
        self.definition = definition
        self.progress = progress
        self.memo = memo
        self.searchAttributes = searchAttributes
    }
}

/// A list of runs, or its next page.
public struct ListRequest: Sendable {
    /// Whose runs.
    public let namespace: NamespaceRecord
    /// Which of them, in the language of filters; all if it is empty.
    public let query: String
    /// The most runs of the page.
    public let limit: Int
    /// Where the page before has ended; empty for the first page.
    public let token: [UInt8]

    public init(namespace: NamespaceRecord, query: String, limit: Int, token: [UInt8]) {
        self.namespace = namespace
        self.query = query
        self.limit = limit
        self.token = token
    }
}

/// A page of a list.
public struct ListedRuns: Sendable {
    /// The runs, in the list's order.
    public let runs: [WorkflowExecutionInfo]
    /// Where the next page begins; empty behind the last one.
    public let token: [UInt8]

    public init(runs: [WorkflowExecutionInfo], token: [UInt8]) {
        self.runs = runs
        self.token = token
    }
}

/// The number of runs of a group, or of all.
public struct CountedRuns: Sendable, Equatable {
    /// What the runs of the group have in common; nil without a group.
    public let group: Group?
    /// How many they are.
    public let count: Int64

    /// What the runs of a group have in common.
    public struct Group: Sendable, Equatable {
        /// The type of the attribute.
        public let type: SearchAttributeType
        /// Its value; nil for runs that lack it.
        public let value: SearchAttributeValue?

        public init(type: SearchAttributeType, value: SearchAttributeValue?) {
            self.type = type
            self.value = value
        }
    }

    public init(group: Group?, count: Int64) {
        self.group = group
        self.count = count
    }
}
