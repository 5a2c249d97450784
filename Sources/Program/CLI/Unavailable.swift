internal import SagamoreCommandLineArguments

/// Commands of the `temporal` CLI whose server side is missing. They are recognized, so that users get a clear answer.
enum Unavailable {
    /// The groups that have them, and their names.
    private static let commands = ["workflow": ["update-options"], "operator": ["nexus"]]

    /// The words of an unavailable command, if the command line begins with one and does not ask for help.
    ///
    /// Checked before the command line is parsed, since the command's options are unknown.
    static func command(in arguments: [String]) -> String? {
        if arguments.contains("--help") || arguments.contains("-h") { return nil }
        guard arguments.count >= 2, commands[arguments[0]]?.contains(arguments[1]) == true else { return nil }
        return "\(arguments[0]) \(arguments[1])"
    }

    /// A placeholder for each unavailable command of a group, so that help lists it.
    static func placeholders(in group: String) -> [Command] {
        (commands[group] ?? []).map { name in
            Command(name, abstract: "As in the temporal CLI. Not available yet.") { _ in
                throw refusal("\(group) \(name)")
            }
        }
    }

    static func refusal(_ what: String) -> UsageError {
        UsageError("'\(what)' is not available yet")
    }
}
