internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreJSONText

/// `sagamore workflow show`.
enum ShowCommand {
    static let command = Command(
        "show",
        abstract: "Show the history of a workflow.",
        discussion: """
            JSON output is protobuf JSON: {"events":[…]}. Example:
            sagamore workflow show -w trip-1 -o json > history.json
            """,
        parameters: WorkflowSelection.parameters()
    ) { values in
        let workflow = try WorkflowSelection.execution(values)
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let events = try await HistoryReader(client: client).events(of: workflow)
            let json = try events.map { event in try ProtobufJSON.value(of: event) }
            if format.isJSON {
                StandardOutput.show(format.text(of: ["events": .array(json)]))
            } else {
                let table = HistoryTable(lineWidth: TerminalWidth.ofStandardOutput)
                StandardOutput.show(table.text(json, isColored: Color.isOn))
            }
        }
    }
}
