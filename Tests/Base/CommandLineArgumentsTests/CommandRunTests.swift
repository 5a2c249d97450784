import Testing

@testable import SagamoreCommandLineArguments

@Suite struct CommandRunTests {
    private struct Failure: Error, CustomStringConvertible {
        var description: String { "the broker is away" }
    }

    /// The output and exit status of the program.
    private func run(_ arguments: String..., action: @escaping Command.Action) async -> (Int32, String, String) {
        let command = Command("tool", abstract: "Does it.", version: "1", parameters: [], action: action)
        var output = ""
        var errors = ""
        let status = await command.run(arguments, environment: [:], output: { output += $0 }, errors: { errors += $0 })
        return (status, output, errors)
    }

    @Test func whatIsDoneEndsWell() async {
        #expect(await run { _ in } == (0, "", ""))
        #expect(await run("--version") { _ in throw Failure() } == (0, "1\n", ""))
    }

    @Test func whatFailsSaysWhy() async {
        #expect(await run { _ in throw Failure() } == (1, "", "tool: the broker is away\n"))
    }

    @Test func whatCannotBeFollowedEndsWithTwo() async {
        let more = "'tool --help' shows the usage.\n"
        #expect(await run("--x") { _ in } == (2, "", "tool: unknown option '--x'\n\(more)"))
        #expect(await run { _ in throw UsageError("not both") } == (2, "", "tool: not both\n\(more)"))
    }

    @Test func aCommandThatHasSpokenEndsSilently() async {
        #expect(await run { _ in throw ExitCode(7) } == (7, "", ""))
    }
}
