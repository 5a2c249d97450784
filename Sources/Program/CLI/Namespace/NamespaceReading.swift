internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// `sagamore namespace describe` and `list`.
enum NamespaceReading {
    static let namespaceID = Option<String?>(
        "--namespace-id",
        valueName: "ID",
        help: "The namespace by its id, in place of --namespace."
    )

    /// The most namespaces of a page that servers give.
    private static let pageSize = 100

    static let describe = Command(
        "describe",
        abstract: "Describe a namespace.",
        discussion: """
            JSON is the protobuf JSON of the response. Example:
            sagamore namespace describe -n shop
            """,
        parameters: ServiceClient.parameters([namespaceID])
    ) { values in
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            var request = DescribeNamespaceRequest()
            if let id = values[namespaceID] { request.id = id } else { request.namespace = client.namespace }
            let response: DescribeNamespaceResponse = try await client.call(.describeNamespace, request)
            if format.isJSON {
                StandardOutput.show(format.text(of: try ProtobufJSON.value(of: response)))
            } else {
                StandardOutput.show(text(response))
            }
        }
    }

    static let list = Command(
        "list",
        abstract: "List the namespaces.",
        discussion: """
            JSON is an array of protobuf JSON, jsonl has a namespace on each line. Example:
            sagamore namespace list
            """,
        parameters: ServiceClient.parameters([Listing.limit])
    ) { values in
        let listing = try Listing(values, pageSize: pageSize)
        let printer = printer(values[OutputFormat.option])
        try await ServiceClient.use(values) { client in
            var request = ListNamespacesRequest()
            try await listing.show(printer) { size, token in
                request.pageSize = size
                request.nextPageToken = token
                let page: ListNamespacesResponse = try await client.call(.listNamespaces, request)
                return (page.namespaces, page.nextPageToken)
            }
        }
    }

    static func text(_ namespace: DescribeNamespaceResponse, isColored: Bool = Color.isOn) -> String {
        let info = namespace.namespaceInfo ?? NamespaceInfo()
        var properties = Properties()
        properties.add("Name", info.name)
        properties.add("Id", info.id)
        properties.add("State", info.state.text)
        properties.add("Description", info.description)
        properties.add("OwnerEmail", info.ownerEmail)
        properties.add("Retention", namespace.config?.workflowExecutionRetentionTtl?.text)
        let data = info.data.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        properties.add("Data", data.joined(separator: ", "))
        return properties.text(title: "Namespace:", isColored: isColored)
    }

    static func printer(
        _ format: OutputFormat,
        lineWidth: Int? = TerminalWidth.ofStandardOutput,
        isColored: Bool = Color.isOn
    ) -> ListPrinter<DescribeNamespaceResponse> {
        let columns: [StreamingTable.Column] = [
            .init(title: "Name", width: 20), .init(title: "State", width: 10), .init(title: "Retention", width: 9),
            .init(title: "Id", width: 36), .init(title: "Description", width: 0),
        ]
        return ListPrinter(format, columns: columns, lineWidth: lineWidth, isColored: isColored) { namespace in
            let info = namespace.namespaceInfo ?? NamespaceInfo()
            let retention = namespace.config?.workflowExecutionRetentionTtl?.text ?? ""
            return .init(cells: [info.name, info.state.text, retention, info.id, info.description])
        }
    }
}

extension NamespaceState {
    fileprivate var text: String { description.inCamelCase(without: "NAMESPACE_STATE_") }
}
