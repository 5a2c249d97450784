internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// `sagamore namespace create`, `update` and `delete`.
enum NamespaceChanges {
    static let description = Option<String?>("--description", valueName: "TEXT", help: "What it is for.")
    static let email = Option<String?>("--email", valueName: "ADDRESS", help: "Whom to ask about it.")
    static let data = Option<[NamedText]>("--data", valueName: "KEY=VALUE", help: "A note for programs.")
    static let newRetention = Option<PositiveDuration>(
        "--retention",
        valueName: "DURATION",
        default: PositiveDuration(days: 3),
        help: "How long closed runs are kept, such as 72h or 3d."
    )
    static let retention = Option<PositiveDuration?>(
        "--retention",
        valueName: "DURATION",
        help: "How long closed runs are kept, such as 72h or 3d."
    )

    static let create = Command(
        "create",
        abstract: "Create a namespace.",
        discussion: """
            Example:
            sagamore namespace create -n shop --retention 7d --description "orders and returns"
            """,
        parameters: ServiceClient.parameters([newRetention, description, email, data])
    ) { values in
        let request = try creation(values)
        try await ServiceClient.use(values) { client in
            let _: RegisterNamespaceResponse = try await client.call(
                .registerNamespace,
                request,
                advice: [.alreadyExists: "Choose another --namespace, or use 'sagamore namespace update'"]
            )
            Report.done("Namespace \(request.namespace) successfully registered", values)
        }
    }

    static let update = Command(
        "update",
        abstract: "Change a namespace.",
        discussion: """
            What is not given stays. A shorter retention applies to runs that are closed already. Example:
            sagamore namespace update -n shop --retention 30d
            """,
        parameters: ServiceClient.parameters([retention, description, email, data])
    ) { values in
        let request = try change(values)
        try await ServiceClient.use(values) { client in
            let _: UpdateNamespaceResponse = try await client.call(.updateNamespace, request)
            Report.done("Namespace \(request.namespace) update succeeded", values)
        }
    }

    static let delete = Command(
        "delete",
        abstract: "Delete a namespace and all of its runs.",
        discussion: """
            Open runs are terminated. The name can be used again at once, the deletion happens in the background. \
            Example:
            sagamore namespace delete -n shop --yes
            """,
        parameters: ServiceClient.parameters([Confirmation.yes])
    ) { values in
        let name = try name(values)
        try Confirmation.obtain(values, "Delete the namespace '\(name)' and all of its runs?")
        try await ServiceClient.use(values) { client in
            var request = DeleteNamespaceRequest()
            request.namespace = name
            let _: DeleteNamespaceResponse = try await client.call(.deleteNamespace, request)
            Report.done("Namespace \(name) has been deleted", values)
        }
    }

    static func creation(_ values: ParsedValues) throws(UsageError) -> RegisterNamespaceRequest {
        var request = RegisterNamespaceRequest()
        request.namespace = try name(values)
        request.workflowExecutionRetentionPeriod = values[newRetention].message
        request.description = values[description] ?? ""
        request.ownerEmail = values[email] ?? ""
        request.data = try map(values[data])
        return request
    }

    /// - Throws: `UsageError` when nothing is to change.
    static func change(_ values: ParsedValues) throws(UsageError) -> UpdateNamespaceRequest {
        var request = UpdateNamespaceRequest()
        request.namespace = try name(values)
        var info = UpdateNamespaceInfo()
        info.description = values[description] ?? ""
        info.ownerEmail = values[email] ?? ""
        info.data = try map(values[data])
        if info != UpdateNamespaceInfo() { request.updateInfo = info }
        if let retention = values[retention] {
            var config = NamespaceConfig()
            config.workflowExecutionRetentionTtl = retention.message
            request.config = config
        }
        guard request.updateInfo != nil || request.config != nil else {
            throw UsageError("nothing to change", hint: "Set --retention, --description, --email or --data")
        }
        return request
    }

    private static func map(_ data: [NamedText]) throws(UsageError) -> ProtobufMap<String> {
        var map = ProtobufMap<String>()
        for datum in data {
            guard map[datum.name] == nil else { throw UsageError("'--data' names '\(datum.name)' twice") }
            map[datum.name] = datum.value
        }
        return map
    }

    /// The default is for commands that do not change the namespace itself.
    private static func name(_ values: ParsedValues) throws(UsageError) -> String {
        guard values.source(of: Places.namespace) != .missing else { throw UsageError("'--namespace' is missing") }
        return values[Places.namespace]
    }
}
