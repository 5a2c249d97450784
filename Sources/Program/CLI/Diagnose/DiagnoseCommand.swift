internal import FoundationEssentials
internal import SagamoreCommandLineArguments
internal import SagamoreConfiguration

/// `sagamore diagnose`.
enum DiagnoseCommand {
    static let file = Option<String>(
        "--file",
        valueName: "FILE",
        default: "sagamore-diagnosis.txt",
        help: "Where to write to; '-' is standard output. A file that is there is replaced."
    )

    static let command = Command(
        "diagnose",
        abstract: "Write a file that tells how an installation is: what one attaches to a bug report.",
        discussion: """
            It holds the configuration (secrets masked), versions, the node's health and metrics, leases, the largest \
            backlogs, the oldest alarms with their workflow ids, and what PostgreSQL and Kafka say. It changes \
            nothing, and what cannot be reached is said in its place. Read it before you hand it on: ids of workflows \
            and names of topics are in it, and no payloads. Example:
            sagamore diagnose --config sagamore.yaml
            """,
        parameters: [ServeCommand.file, file]
    ) { values in
        let read = try ServeCommand.read(values[ServeCommand.file])
        let target = values[file]
        try await Program.blocking {
            let text = Diagnosis(read.configuration, read.dynamic).text()
            guard target != "-" else { return StandardOutput.show(text) }
            do {
                try Data(text.utf8).write(to: URL(fileURLWithPath: target), options: .atomic)
            } catch {
                throw CommandFailure("cannot write '\(target)': \(error)")
            }
            StandardOutput.show("written to \(target); read it before you hand it on\n")
        }
    }
}
