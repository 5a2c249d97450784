internal import SagamoreCommandLineArguments

/// Planned commands that are not available yet. They are recognized, so that users get a clear answer.
enum Unavailable {
    /// Groups and commands of the program.
    static let commands: [(name: String, abstract: String)] = [
        ("schedule", "Start workflows on a schedule."),
        ("namespace", "Create and update namespaces."),
        ("task-queue", "Inspect task queues."),
        ("activity", "Complete, fail, or inspect activities."),
        ("operator", "Manage search attributes and clusters."),
    ]

    /// Verbs of `workflow`.
    static let workflowVerbs = [
        "cancel", "count", "delete", "describe", "execute", "list", "metadata", "query", "reset", "result", "signal",
        "signal-with-start", "stack", "start", "terminate", "trace", "update", "update-options",
    ]

    /// The words of an unavailable command, if the command line begins with one and does not ask for help.
    ///
    /// Checked before the command line is parsed, since the command's options are unknown.
    static func command(in arguments: [String]) -> String? {
        if arguments.contains("--help") || arguments.contains("-h") { return nil }
        guard let first = arguments.first else { return nil }
        if commands.contains(where: { $0.name == first }) { return first }
        if first == "workflow", let verb = arguments.dropFirst().first, workflowVerbs.contains(verb) {
            return "workflow \(verb)"
        }
        return nil
    }

    /// A placeholder for an unavailable command, so that help lists it.
    static func placeholder(_ name: String, _ abstract: String) -> Command {
        Command(name, abstract: "\(abstract) Not available yet.") { values in
            throw refusal(values.path.dropFirst().joined(separator: " "))
        }
    }

    static func refusal(_ what: String) -> UsageError {
        UsageError("'\(what)' is not available yet")
    }
}
