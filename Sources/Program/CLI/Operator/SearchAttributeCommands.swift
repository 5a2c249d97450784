internal import SagamoreAPI
public import SagamoreCommandLineArguments
public import SagamoreEngine
internal import SagamoreProtobuf

/// `sagamore operator search-attribute`: the attributes of a namespace that filters can name.
enum SearchAttributeCommands {
    static let names = Option<[String]>("--name", valueName: "NAME", help: "The name of an attribute; required.")
    static let types = Option<[SearchAttributeType]>(
        "--type",
        valueName: "TYPE",
        help: "The type of the attribute whose name has the same place; required."
    )

    static let create = Command(
        "create",
        abstract: "Add search attributes to a namespace.",
        discussion: """
            An attribute that exists with the same type is left as it is. Example:
            sagamore operator search-attribute create --name CustomerId --type Keyword --name Total --type Double
            """,
        parameters: ServiceClient.parameters([names, types])
    ) { values in
        let attributes = try attributes(values)
        try await ServiceClient.use(values) { client in
            var request = AddSearchAttributesRequest()
            request.namespace = client.namespace
            request.searchAttributes = attributes
            let _: AddSearchAttributesResponse = try await client.call(.addSearchAttributes, request)
            Report.done("Search attributes have been added", values)
        }
    }

    static let list = Command(
        "list",
        abstract: "List the search attributes of a namespace.",
        discussion: """
            Those of every namespace come first. JSON is the protobuf JSON of the response. Example:
            sagamore operator search-attribute list
            """,
        parameters: ServiceClient.parameters([])
    ) { values in
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            var request = ListSearchAttributesRequest()
            request.namespace = client.namespace
            let response: ListSearchAttributesResponse = try await client.call(.listSearchAttributes, request)
            if format.isJSON {
                StandardOutput.show(format.text(of: try ProtobufJSON.value(of: response)))
            } else {
                StandardOutput.show(table(response))
            }
        }
    }

    static let remove = Command(
        "remove",
        abstract: "Remove search attributes from a namespace.",
        discussion: """
            Filters that name one are refused from then on; its values are not found any more. Example:
            sagamore operator search-attribute remove --name CustomerId --yes
            """,
        parameters: ServiceClient.parameters([names, Confirmation.yes])
    ) { values in
        let removed = values[names]
        guard !removed.isEmpty else { throw UsageError("'--name' is missing") }
        let list = removed.map { "'\($0)'" }.joined(separator: ", ")
        try Confirmation.obtain(values, "Remove the search attributes \(list) of '\(values[Places.namespace])'?")
        try await ServiceClient.use(values) { client in
            var request = RemoveSearchAttributesRequest()
            request.namespace = client.namespace
            request.searchAttributes = removed
            let _: RemoveSearchAttributesResponse = try await client.call(.removeSearchAttributes, request)
            Report.done("Search attributes have been removed", values)
        }
    }

    /// The attributes to add. Names and types are pairs.
    static func attributes(_ values: ParsedValues) throws(UsageError) -> ProtobufMap<IndexedValueType> {
        let (names, types) = (values[names], values[types])
        guard !names.isEmpty else { throw UsageError("'--name' is missing") }
        guard !types.isEmpty else { throw UsageError("'--type' is missing") }
        guard names.count == types.count else {
            throw UsageError(
                "each '--name' needs its '--type'",
                hint: "There are \(names.count) names and \(types.count) types"
            )
        }
        var attributes = ProtobufMap<IndexedValueType>()
        for (name, type) in zip(names, types) {
            guard attributes[name] == nil else { throw UsageError("'--name' gives '\(name)' twice") }
            attributes[name] = IndexedValueType(rawValue: type.rawValue)
        }
        return attributes
    }

    static func table(
        _ response: ListSearchAttributesResponse,
        lineWidth: Int? = TerminalWidth.ofStandardOutput,
        isColored: Bool = Color.isOn
    ) -> String {
        var table = StreamingTable(
            [.init(title: "Name", width: 36), .init(title: "Type", width: 0)],
            lineWidth: lineWidth
        )
        var text = table.header(colors: isColored)
        for attributes in [response.systemAttributes, response.customAttributes] {
            for (name, type) in attributes.sorted(by: { $0.key < $1.key }) {
                let cells = [name, type.description.inCamelCase(without: "INDEXED_VALUE_TYPE_")]
                text += table.row(cells, colors: [:], isColored: isColored)
            }
        }
        return text
    }
}

extension SearchAttributeType: ExpressibleByArgument {
    /// Accepts the name in any case, as the `temporal` command does.
    public init?(argument: String) { self.init(named: argument) }

    /// The names of the types.
    public static var expectation: String {
        let names = allValueStrings
        return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    }

    public static var allValueStrings: [String] { allCases.map(\.name) }
}
