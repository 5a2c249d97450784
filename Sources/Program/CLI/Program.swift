internal import Glibc
internal import SagamoreCommandLineArguments
internal import SagamoreServer
internal import SagamoreThreads

/// The program `sagamore`.
@main
enum Program {
    static func main() {
        // Before the first thread starts. Commands without an orderly shutdown unblock the signals again.
        ProcessMemory.limitArenas()
        ProcessSignals.block()
        if let name = Unavailable.command(in: Array(CommandLine.arguments.dropFirst())) {
            StandardError.write("sagamore: \(Unavailable.refusal(name))\n'sagamore --help' lists the commands.\n")
            exit(ExitCode.usage.code)
        }
        Task.detached { exit(await command.run()) }
        while true { pause() }
    }

    static let command: Command = Command(
        "sagamore",
        abstract: "A durable saga service.",
        discussion: "Start with 'sagamore dev': it runs everything on this machine, without setup.",
        version: "sagamore \(SagamoreVersion.current)",
        subcommands: [
            DevCommand.command, ServeCommand.command, ConfigCommand.command, DiagnoseCommand.command,
            MigrateCommand.command, CompletionCommand.completion, CompletionCommand.manual,
            Command("command", abstract: "Publish to a command topic.", subcommands: [PublishCommand.command]),
            Command("events", abstract: "Read an event topic.", subcommands: [TailCommand.command]),
            CommandGroups.workflow, CommandGroups.schedule, CommandGroups.batch,
            CommandGroups.namespace, CommandGroups.taskQueue, CommandGroups.activity, CommandGroups.operation,
        ]
    )

    /// Runs a blocking command on a dedicated thread. Signals end the process as usual.
    static func blocking(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await SystemThread.run("command") {
            ProcessSignals.unblock()
            try body()
        }
    }
}
