internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreGRPC
internal import SagamoreJSONText

/// `sagamore workflow show`.
enum ShowCommand {
    static let workflowID = Option<String>("--workflow-id", "-w", valueName: "ID", help: "The workflow.")
    static let runID = Option<String?>("--run-id", "-r", valueName: "ID", help: "The run. Default: the newest.")

    static let command = Command(
        "show",
        abstract: "Show the history of a workflow.",
        discussion: "JSON output is protobuf JSON: {\"events\":[…]}.",
        parameters: [workflowID, runID, Places.namespace] + ServerConnection.parameters + [OutputFormat.option]
    ) { values in
        let connection = try ServerConnection.configuration(values)
        let format = values[OutputFormat.option]
        let workflow = HistoryReader.Workflow(
            namespace: values[Places.namespace],
            workflowID: values[workflowID],
            runID: values[runID] ?? ""
        )
        let events = try await HistoryReader(connection: connection).read(workflow)
        let json = try events.map { event in try ProtobufJSON.value(of: event) }
        switch format {
        case .json: StandardOutput.show(JSONValue.object(["events": .array(json)]).text(pretty: true) + "\n")
        case .text:
            StandardOutput.show(
                HistoryTable(lineWidth: TerminalWidth.ofStandardOutput).text(json, isColored: Color.isOn)
            )
        }
    }
}
