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
