internal import SagamoreCommandLineArguments
internal import SagamoreConfiguration

/// `sagamore config`.
enum ConfigCommand {
    static let command = Command(
        "config",
        abstract: "Write configuration files.",
        subcommands: [
            Command(
                "default",
                abstract: "Print a configuration file with every key, its default and a comment.",
                discussion: """
                    Example:
                    sagamore config default > sagamore.yaml
                    """,
                parameters: []
            ) { _ in StandardOutput.show(Configuration.defaultFile) }
        ]
    )
}
