internal import SagamoreProtobuf

/// The search attributes that workflows of a namespace may set: those that every namespace has, and its own.
public struct SearchAttributeCatalog: Sendable, Equatable {
    /// The name of the namespace, for messages.
    public let namespace: String
    private let own: [ExactText: SearchAttribute]

    /// - Parameter own: what the namespace has beside the predefined ones.
    public init(namespace: String, _ own: [SearchAttribute] = []) {
        self.namespace = namespace
        self.own = Dictionary(own.map { (ExactText($0.name), $0) }) { $1 }
    }

    /// The attribute with this name that workflows may set.
    public subscript(name: String) -> SearchAttribute? {
        own[ExactText(name)] ?? Self.predefinedByName[name]
    }

    /// The namespace's own, by name.
    public var ownAttributes: [SearchAttribute] { own.values.sorted { $0.name < $1.name } }

    /// What clients and servers agree on: SDKs set some of these, schedules and batches others. Their ids are negative.
    public static let predefined: [SearchAttribute] = {
        let attributes: [(name: String, type: SearchAttributeType)] = [
            ("BatcherNamespace", .keyword), ("BatcherUser", .keyword), ("BinaryChecksums", .keywordList),
            ("BuildIds", .keywordList), ("TemporalChangeVersion", .keywordList),
            ("TemporalNamespaceDivision", .keyword), ("TemporalPauseInfo", .keywordList),
            ("TemporalReportedProblems", .keywordList), ("TemporalScheduledById", .keyword),
            ("TemporalScheduledStartTime", .datetime), ("TemporalSchedulePaused", .bool),
        ]
        return attributes.enumerated().map { index, attribute in
            SearchAttribute(id: -Int32(index + 1), name: attribute.name, type: attribute.type)
        }
    }()

    private static let predefinedByName = Dictionary(uniqueKeysWithValues: predefined.map { ($0.name, $0) })

    /// Attributes that the server maintains itself: nobody else sets them, and no namespace adds one of their names.
    public static let maintained: [(name: String, type: SearchAttributeType)] = [
        ("CloseTime", .datetime), ("CommandId", .keyword), ("ExecutionDuration", .int), ("ExecutionStatus", .keyword),
        ("ExecutionTime", .datetime), ("HistoryLength", .int), ("HistorySizeBytes", .int), ("ParentRunId", .keyword),
        ("ParentWorkflowId", .keyword), ("RootRunId", .keyword), ("RootWorkflowId", .keyword), ("RunId", .keyword),
        ("SagaStatus", .keyword), ("SagaStep", .keyword), ("StartTime", .datetime), ("StateTransitionCount", .int),
        ("TaskQueue", .keyword),
        ("TemporalUsedWorkerDeploymentVersions", .keywordList), ("TemporalWorkerDeployment", .keyword),
        ("TemporalWorkerDeploymentVersion", .keyword), ("TemporalWorkflowVersioningBehavior", .keyword),
        ("WorkflowId", .keyword), ("WorkflowType", .keyword),
    ]

    private static let maintainedNames = Set(maintained.map(\.name))

    /// Whether the server maintains the attribute with this name itself.
    public static func isMaintained(_ name: String) -> Bool { maintainedNames.contains(name) }
    /// Whether every namespace has an attribute with this name.
    public static func isReserved(_ name: String) -> Bool {
        isMaintained(name) || predefinedByName[name] != nil || name.hasPrefix("Temporal")
    }
}
