internal import SagamoreCommandLineArguments
internal import SagamoreKafkaClient

extension TopicReader.Start: CaseIterable, ExpressibleByArgument {
    static let allCases: [TopicReader.Start] = [.beginning, .end]
}

/// `sagamore events tail`.
enum TailCommand {
    static let topic = Option<String>("--topic", valueName: "NAME", default: "saga.events", help: "The topic to read.")
    static let from = Option<TopicReader.Start>(
        "--from",
        valueName: "PLACE",
        default: .beginning,
        help: "Where to start reading."
    )
    static let follow = Flag("--follow", "-f", help: "Keep waiting for new events until Ctrl-C.")
    static let commandID = Option<String?>("--command-id", valueName: "ID", help: "Show only events of this command.")
    static let workflowID = Option<String?>(
        "--workflow-id",
        "-w",
        valueName: "ID",
        help: "Show only events of this workflow."
    )
    static let count = Option<Int?>("--count", valueName: "NUMBER", help: "Exit after this many events.")

    static let command = Command(
        "tail",
        abstract: "Show events as they arrive.",
        discussion: """
            Reads committed events only. Without --follow it ends when everything that is on the topic has been \
            shown. TOOK is the time since the command's first event. JSON is the events themselves, one a line; a \
            record that is no event, as a dead letter, is an object of key, value, headers and where it lies. Example:
            sagamore events tail --follow --workflow-id trip-1
            """,
        parameters: [
            topic, from, follow, commandID, workflowID, count, Places.kafka, Places.dataFolder, OutputFormat.option,
            TimeFormat.option,
        ]
    ) { values in
        let tail = Tail(
            topic: values[topic],
            kafka: try Places.kafka(values),
            start: values[from],
            isFollowing: values[follow],
            commandID: values[commandID],
            workflowID: values[workflowID],
            limit: values[count] ?? .max,
            format: values[OutputFormat.option],
            times: values[TimeFormat.option]
        )
        guard tail.limit > 0 else { throw UsageError("'--count' expects a number above 0") }
        try await Program.blocking { try tail.run() }
    }
}

/// Reads a topic for one command.
struct Tail: Sendable {
    let topic: String
    let kafka: String
    let start: TopicReader.Start
    let isFollowing: Bool
    let commandID: String?
    let workflowID: String?
    let limit: Int
    let format: OutputFormat
    let times: TimeFormat

    func run() throws(CommandFailure) {
        let reader = try TopicReader(topic, from: start, kafka: kafka)
        defer { reader.close() }
        var printer = EventPrinter(format, times: times)
        var shown = 0
        while true {
            switch reader.next() {
            case .record(let record):
                guard let text = text(record, &printer) else { continue }
                StandardOutput.show(text)
                shown += 1
                if shown == limit { return }
            case .caughtUp:
                if !isFollowing { return }
                // For people, and for programs that have to know when live records will be shown.
                StandardError.write("sagamore: end of \(topic); waiting for new events\n")
            case .trouble(let text):
                StandardError.write("sagamore: \(text); retrying\n")
            case .failed(let text):
                throw CommandFailure("failed to read the topic: \(text)")
            }
        }
    }

    /// Nil for filtered records.
    private func text(_ record: KafkaRecord, _ printer: inout EventPrinter) -> String? {
        if !OtherRecord.isDeadLetter(record), let event = SagaEvent(record) {
            return wants(event) ? printer.text(event) : nil
        }
        return commandID == nil && workflowID == nil ? printer.text(OtherRecord(record: record)) : nil
    }

    private func wants(_ event: SagaEvent) -> Bool {
        if let commandID, event.commandID != commandID { return false }
        if let workflowID, event.workflowID != workflowID { return false }
        return true
    }
}
