internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// `sagamore workflow count`.
enum CountCommand {
    static let command = Command(
        "count",
        abstract: "Count the runs of workflows.",
        discussion: """
            The filter is that of 'workflow list'. GROUP BY and an attribute at its end count each group, too. Example:
            sagamore workflow count -q "WorkflowType = 'Order' GROUP BY ExecutionStatus"
            """,
        parameters: ServiceClient.parameters([ListCommand.query])
    ) { values in
        let query = values[ListCommand.query] ?? ""
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            var request = CountWorkflowExecutionsRequest()
            request.namespace = client.namespace
            request.query = query
            let counts: CountWorkflowExecutionsResponse = try await client.call(
                .countWorkflowExecutions,
                request,
                advice: ListCommand.advice
            )
            StandardOutput.show(try format.isJSON ? format.text(of: json(counts)) : text(counts))
        }
    }

    static func text(_ counts: CountWorkflowExecutionsResponse) throws -> String {
        var text = "Total: \(counts.count)\n"
        for group in counts.groups {
            let values = try group.groupValues.map { value in
                let payload = try value.decoded()
                return (payload.json?.string ?? payload.text).printable
            }
            text += "Group total: \(group.count), values: \(values.joined(separator: ", "))\n"
        }
        return text
    }

    /// Protobuf's JSON form with the values of groups as they are, as the `temporal` command prints it.
    static func json(_ counts: CountWorkflowExecutionsResponse) throws -> JSONValue {
        var object = JSONObject()
        let groups = try counts.groups.map { group in
            let values = try group.groupValues.map { value in try value.decoded().value() }
            return JSONValue.object(["groupValues": .array(values), "count": .string(String(group.count))])
        }
        object["count"] = .string(String(counts.count))
        if !groups.isEmpty { object["groups"] = .array(groups) }
        return .object(object)
    }
}
