internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreJSONText

/// `sagamore workflow show`.
enum ShowCommand {
    static let follows = Flag("--follow", "-f", help: "Show events as they come, until the workflow has ended.")
    static let isDetailed = Flag("--detailed", help: "Show all that events say, a section for each.")
    static let isReversed = Flag("--reverse", help: "Show the newest event first.")

    static let command = Command(
        "show",
        abstract: "Show the history of a workflow.",
        discussion: """
            Events of an activity name it, and those of an undo the step of the saga that it compensates. JSON output \
            is protobuf JSON: {"events":[…]}; with --follow it is an event on each line. Example:
            sagamore workflow show -w trip-1 --follow
            """,
        parameters: WorkflowSelection.parameters([follows, isReversed, isDetailed])
    ) { values in
        let workflow = try WorkflowSelection.execution(values)
        let isReversed = values[isReversed]
        if values[follows], isReversed { throw UsageError("'--follow' cannot be combined with '--reverse'") }
        let format = values[OutputFormat.option]
        let times = values[TimeFormat.option]
        let sections = values[isDetailed] ? EventSections(times: times) : nil
        var table = HistoryTable(lineWidth: TerminalWidth.ofStandardOutput, times: times)
        func text(_ json: [JSONValue]) -> String {
            sections?.text(json, isColored: Color.isOn) ?? table.text(json, isColored: Color.isOn)
        }
        try await ServiceClient.use(values) { client in
            let reader = HistoryReader(client: client)
            if values[follows] {
                try await reader.follow(workflow) { events in
                    let json = try events.map { event in try ProtobufJSON.value(of: event) }
                    StandardOutput.show(
                        format.isJSON
                            ? json.map { OutputFormat.jsonl.text(of: $0) }.joined()
                            : text(json)
                    )
                }
                return
            }
            let events = try await reader.events(of: workflow)
            let json = try events.map { event in try ProtobufJSON.value(of: event) }
            if format.isJSON {
                StandardOutput.show(format.text(of: ["events": .array(isReversed ? json.reversed() : json)]))
            } else {
                if isReversed { table.learn(json) }
                StandardOutput.show(text(isReversed ? json.reversed() : json))
            }
        }
    }
}
