internal import SagamoreCommandLineArguments
internal import SagamoreKafkaClient

/// `sagamore command publish`.
enum PublishCommand {
    static let file = Argument<String?>("FILE", help: "JSON lines or one JSON document; - reads standard input.")
    static let topic = Option<String>("--topic", valueName: "NAME", default: "saga.commands", help: "The topic.")
    static let eventsTopic = Option<String>(
        "--events-topic",
        valueName: "NAME",
        default: "saga.events",
        help: "The topic that --wait reads."
    )
    static let key = Option<String?>(
        "--key",
        valueName: "TEXT",
        help: "The record's key. Default: the command's workflow_id, order_id, or command_id."
    )
    static let isRaw = Flag("--raw", help: "Publish each line as is, without checks.")
    static let waits = Flag("--wait", help: "Wait for the outcome of every command, and show the events.")
    static let timeout = Option<PositiveDuration?>(
        "--timeout",
        valueName: "DURATION",
        help: "How long --wait waits (30s, 5m). Default: no limit."
    )

    static let command = Command(
        "publish",
        abstract: "Publish commands to a topic.",
        discussion: """
            Commands come from a file or standard input, or one is made by the flags from --command-id to --field. \
            Records with the same key are handled in order. With --wait it ends 1 when a command was not passed, \
            delivered, answered or updated; a command that was sent before shows what became of it then. Example:
            sagamore command publish bookings.jsonl --wait
            """,
        parameters: [file] + PublishOptions.all + [
            topic, key, isRaw, waits, timeout, eventsTopic, Places.kafka, Places.dataFolder, OutputFormat.option,
            TimeFormat.option,
        ]
    ) { values in
        let publishing = try publishing(values)
        try await Program.blocking { try publishing.run() }
    }

    private static func publishing(_ values: ParsedValues) throws -> Publishing {
        let made = try PublishOptions.command(values)
        if made != nil, values[file] != nil {
            throw UsageError("a FILE cannot be combined with flags that define a command")
        }
        if values[isRaw], values[waits] {
            throw UsageError("'--wait' cannot be combined with '--raw': there may be no outcome")
        }
        if values[timeout] != nil, !values[waits] { throw UsageError("'--timeout' requires '--wait'") }
        let kafka = try Places.kafka(values)
        var records: [Publishing.Outgoing]
        if let made {
            records = [.init(made)]
        } else if let file = values[file] {
            let text = try CommandSource.read(file)
            let name = file == "-" ? "standard input" : file
            if values[isRaw] {
                records = CommandSource.lines(of: text).map { .init(value: Array($0.bytes), key: nil, command: nil) }
            } else {
                records = try CommandSource.commands(in: text, named: name).map { .init($0) }
            }
        } else {
            throw UsageError(
                "nothing to publish",
                hint: "Name a FILE (- reads standard input), or define a command with --command-id"
            )
        }
        if let key = values[key] {
            for index in records.indices { records[index].key = Array(key.utf8) }
        }
        return Publishing(
            records: records,
            topic: values[topic],
            eventsTopic: values[eventsTopic],
            kafka: kafka,
            waits: values[waits],
            timeout: values[timeout]?.duration,
            format: values[OutputFormat.option],
            times: values[TimeFormat.option]
        )
    }
}
