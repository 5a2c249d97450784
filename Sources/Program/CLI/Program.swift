internal import Glibc
internal import SagamoreCommandLineArguments
internal import SagamoreServer
internal import SagamoreThreads

/// The program `sagamore`.
@main
enum Program {
    static func main() {
        // Before the first thread starts. Commands that need no orderly end take the signals back.
        ProcessMemory.limitArenas()
        ProcessSignals.block()
        if let name = Unavailable.command(in: Array(CommandLine.arguments.dropFirst())) {
            StandardError.write("sagamore: \(Unavailable.refusal(name))\n'sagamore --help' tells what is there.\n")
            exit(ExitCode.usage.code)
        }
        Task.detached { exit(await command.run()) }
        while true { pause() }
    }

    static let command = Command(
        "sagamore",
        abstract: "A durable saga service.",
        discussion: "Start with 'sagamore dev': everything on this machine, no setup.",
        version: "sagamore \(SagamoreVersion.current)",
        subcommands: [
            DevCommand.command, MigrateCommand.command,
            Command("command", abstract: "Speak to a topic of commands.", subcommands: [PublishCommand.command]),
            Command("events", abstract: "Listen to a topic of events.", subcommands: [TailCommand.command]),
            Command(
                "workflow",
                abstract: "Look at workflows.",
                subcommands: [ShowCommand.command]
                    + Unavailable.workflowVerbs.map { Unavailable.placeholder($0, "As in the temporal CLI.") }
            ),
        ] + Unavailable.commands.map { Unavailable.placeholder($0.name, $0.abstract) }
    )

    /// Runs a command that blocks, on a thread of its own. Signals end the process as is usual.
    static func blocking(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await SystemThread.run("command") {
            ProcessSignals.unblock()
            try body()
        }
    }
}
