internal import SagamoreCommandLineArguments

/// Planned commands that are not available yet. They are recognized, so that users get a clear answer.
enum Unavailable {
    /// Groups and commands of the program.
    static let commands: [(name: String, abstract: String)] = [
        ("activity", "Complete, fail, or inspect activities.")
    ]

    /// Verbs of `workflow`.
    static let workflowVerbs = ["metadata", "signal-with-start", "trace", "update-options"]

    /// Groups of `operator`.
    static let operatorGroups = ["nexus"]

    /// The words of an unavailable command, if the command line begins with one and does not ask for help.
    ///
    /// Checked before the command line is parsed, since the command's options are unknown.
    static func command(in arguments: [String]) -> String? {
        if arguments.contains("--help") || arguments.contains("-h") { return nil }
        guard let first = arguments.first else { return nil }
        if commands.contains(where: { $0.name == first }) { return first }
        let second = arguments.dropFirst().first ?? ""
        let isUnavailable =
            switch first {
            case "workflow": workflowVerbs.contains(second)
            case "operator": operatorGroups.contains(second)
            default: false
            }
        return isUnavailable ? "\(first) \(second)" : nil
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
