import Testing

@Suite struct HelpTextTests {
    @Test(arguments: ["--help", "-h", "help"]) func theProgramListsItsCommands(line: String) throws {
        #expect(
            try SampleProgram.text(line) == """
                Durable sagas.

                Usage: sagamore COMMAND

                Commands:
                  dev         Everything on this machine.
                  serve       The services for real.
                  command     Commands for workflows.
                  events      What came of them.
                  workflow    Workflows.

                Options:
                  -h, --help  Show this help.
                  --version   Show the version.

                'sagamore COMMAND --help' describes a command.
                """
        )
    }

    @Test(arguments: ["dev --help", "dev --nonsense -h", "help dev"])
    func aCommandListsItsParametersWithDefaultsAndVariables(line: String) throws {
        #expect(
            try SampleProgram.text(line, columns: 90) == """
                Everything on this machine.

                Starts what it needs and stops it at the end.

                Usage: sagamore dev [OPTIONS]

                Options:
                  --ip IP                The address to listen on. (default: 127.0.0.1)
                  -p, --port PORT        Where gRPC listens. (default: 7233; environment: SAGAMORE_PORT,
                                         TEMPORAL_PORT)
                  --namespace NAMESPACE  A namespace to make. (default: default; may be repeated)
                  --postgres URL         A PostgreSQL to use instead of the embedded one. (environment:
                                         SAGAMORE_POSTGRES)
                  --log-level LOG-LEVEL  The least severe lines to write. (one of error, warning, info,
                                         debug; default: info)
                  --ephemeral            Keep nothing. (environment: SAGAMORE_EPHEMERAL)
                  -h, --help             Show this help.
                  --version              Show the version.
                """
        )
    }

    @Test(arguments: [
        ("serve --help", "Usage: sagamore serve --config FILE\n"),
        ("workflow show --help", "Usage: sagamore workflow show [OPTIONS] ID [EVENT]\n"),
        ("events tail --help", "Usage: sagamore events tail [OPTIONS] [TOPIC…]\n"),
    ]) func usageShowsWhatIsRequired(line: String, usage: String) throws {
        #expect(try SampleProgram.text(line).contains(usage))
    }

    @Test func afterTwoDashesHelpIsAWord() {
        #expect(throws: (any Error).self) { try SampleProgram.text("command publish -- --help") }
    }
}
