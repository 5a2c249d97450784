internal import SagamoreCommandLineArguments
internal import SagamoreJSONText

/// The flags of `sagamore command publish` that define a command.
enum PublishOptions {
    /// The kinds of commands.
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case start, signal
        case signalWithStart = "signal_with_start"
        case query, update, cancel, terminate
    }

    /// A correlation field, `name=value`.
    struct Field: ExpressibleByArgument {
        let name: String
        let value: String

        init?(argument: String) {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { return nil }
            name = String(parts[0])
            value = String(parts[1])
        }

        static var expectation: String { "name=value" }
    }

    /// A JSON value.
    struct JSON: ExpressibleByArgument {
        let value: JSONValue

        init?(argument: String) {
            guard let value = try? JSONValue.parse(argument) else { return nil }
            self.value = value
        }

        static var expectation: String { "JSON (in a shell, use single quotes; a string is '\"text\"')" }
    }

    static let commandID = Option<String?>("--command-id", valueName: "ID", help: "The command's id.")
    static let kind = Option<Kind?>("--command", valueName: "KIND", help: "The kind of command. Default: start.")
    static let workflow = Option<String?>("--workflow", valueName: "TYPE", help: "The workflow's type.")
    static let workflowID = Option<String?>("--workflow-id", "-w", valueName: "ID", help: "The workflow's id.")
    static let runID = Option<String?>(
        "--run-id",
        "-r",
        valueName: "ID",
        help: "The run to send the command to."
    )
    static let namespace = Option<String?>(
        "--namespace",
        "-n",
        valueName: "NAME",
        environment: ["SAGAMORE_NAMESPACE", "TEMPORAL_NAMESPACE"],
        help: "Default: the route's."
    )
    static let taskQueue = Option<String?>("--task-queue", valueName: "NAME", help: "Default: the route's.")
    static let input = Option<JSON?>("--input", valueName: "JSON", help: "The argument of the workflow or handler.")
    static let signal = Option<String?>("--signal", valueName: "NAME", help: "The signal's name.")
    static let query = Option<String?>("--query", valueName: "NAME", help: "The query's name.")
    static let update = Option<String?>("--update", valueName: "NAME", help: "The update's name.")
    static let reason = Option<String?>("--reason", valueName: "TEXT", help: "Why to cancel or terminate.")
    static let fields = Option<[Field]>(
        "--field",
        valueName: "NAME=VALUE",
        help: "A correlation field (a string), copied to every event of the command."
    )

    static let all: [any Parameter] = [
        commandID, kind, workflow, workflowID, runID, namespace, taskQueue, input, signal, query, update, reason,
        fields,
    ]

    /// The command defined by the flags; nil when none was given. Environment variables alone define none.
    static func command(_ values: ParsedValues) throws(UsageError) -> CommandDocument? {
        guard all.contains(where: { values.source(of: $0) == .commandLine }) else { return nil }
        guard values[commandID]?.isEmpty == false else {
            throw UsageError("'--command-id' is missing: it identifies the command, so that it takes effect only once")
        }
        var command = JSONObject()
        command["command_id"] = values[commandID].map { .string($0) }
        command["command"] = values[kind].map { .string($0.rawValue) }
        let texts = [
            ("workflow", workflow), ("workflow_id", workflowID), ("run_id", runID), ("namespace", namespace),
            ("task_queue", taskQueue), ("signal", signal), ("query", query), ("update", update), ("reason", reason),
        ]
        for (name, option) in texts { command[name] = values[option].map { .string($0) } }
        command["input"] = values[input]?.value
        for field in values[fields] {
            guard command[field.name] == nil else {
                throw UsageError("'--field \(field.name)=…' names a field that the command already has")
            }
            command[field.name] = .string(field.value)
        }
        do throws(CommandDocument.Mistake) {
            return try CommandDocument(JSONValue.object(command).serialize())
        } catch {
            let flag = error.field.map { "'--\($0.replacing("_", with: "-"))'" } ?? "the command"
            throw UsageError("\(flag) \(error.problem)")
        }
    }
}
