internal import SagamoreCommandLineArguments

/// `sagamore completion` and `sagamore manual`: what an installation puts beside the program.
enum CompletionCommand {
    static let completion: Command = Command(
        "completion",
        abstract: "Print a script by which a shell completes commands and options.",
        subcommands: Shell.allCases.map { shell in
            Command(
                shell.rawValue,
                abstract: "For \(shell.rawValue).",
                discussion: """
                    The first line of the script says how to use it. Example:
                    sagamore completion \(shell.rawValue)
                    """
            ) { _ in StandardOutput.show(Program.command.completionScript(for: shell)) }
        }
    )

    static let manual: Command = Command(
        "manual",
        abstract: "Print the manual page.",
        discussion: """
            Example:
            sagamore manual | man -l -
            """
    ) { _ in StandardOutput.show(Program.command.manualPage(date: "")) }
}
