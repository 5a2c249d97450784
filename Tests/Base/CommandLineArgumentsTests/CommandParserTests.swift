import SagamoreCommandLineArguments
import Testing

@Suite struct CommandParserTests {
    typealias Program = SampleProgram

    @Test func whatIsNotGivenHasItsDefault() throws {
        let values = try Program.values("dev")
        #expect(values.path == ["sagamore", "dev"])
        #expect(values[Program.ip] == "127.0.0.1")
        #expect(values[Program.port] == 7233)
        #expect(values[Program.namespaces] == ["default"])
        #expect(values[Program.postgres] == nil)
        #expect(values[Program.level] == .info)
        #expect(!values[Program.ephemeral])
        #expect(values.source(of: Program.port) == .missing)
    }

    @Test func optionsAreGivenWithASpaceOrAnEqualsSign() throws {
        let values = try Program.values(
            "dev --ip=0.0.0.0 -p 80 --namespace a --namespace=b --ephemeral --log-level debug --postgres=a=b"
        )
        #expect(values[Program.ip] == "0.0.0.0")
        #expect(values[Program.port] == 80)
        #expect(values[Program.namespaces] == ["a", "b"])
        #expect(values[Program.ephemeral])
        #expect(values[Program.level] == .debug)
        #expect(values[Program.postgres] == "a=b")
        #expect(values.source(of: Program.port) == .commandLine)
    }

    @Test func theLastOfSeveralValuesCounts() throws {
        #expect(try Program.values("dev --port 1 --port 2")[Program.port] == 2)
        #expect(try !Program.values("dev --ephemeral --ephemeral=false")[Program.ephemeral])
    }

    @Test func theEnvironmentStandsInAndTheCommandLineWins() throws {
        let environment = ["SAGAMORE_PORT": "", "TEMPORAL_PORT": "90", "SAGAMORE_EPHEMERAL": "yes"]
        let values = try Program.values("dev", environment: environment)
        #expect(values[Program.port] == 90)
        #expect(values[Program.ephemeral])
        #expect(values.source(of: Program.port) == .environment("TEMPORAL_PORT"))
        let both = ["SAGAMORE_PORT": "91", "TEMPORAL_PORT": "90"]
        #expect(try Program.values("dev", environment: both)[Program.port] == 91)
        let given = try Program.values("dev --port 7 --ephemeral=false", environment: environment)
        #expect(given[Program.port] == 7)
        #expect(!given[Program.ephemeral])
    }

    @Test func argumentsAreKnownByTheirPlace() throws {
        let values = try Program.values("workflow show --output json order-7 12")
        #expect(values.path == ["sagamore", "workflow", "show"])
        #expect(values[Program.workflow] == "order-7")
        #expect(values[Program.event] == 12)
        #expect(values[Program.output] == .json)
        #expect(try Program.values("workflow show x")[Program.event] == nil)
        #expect(try Program.values("events tail a -o json b c")[Program.topics] == ["a", "b", "c"])
        #expect(try Program.values("events tail")[Program.topics].isEmpty)
    }

    @Test func dashesCanBeValuesWhereTheyAreMeant() throws {
        #expect(try Program.values("command publish -")[Program.file] == "-")
        #expect(try Program.values("command publish -- --help")[Program.file] == "--help")
        #expect(try Program.values("events tail --offset -5")[Program.offset] == -5)
        #expect(try Program.values("dev --ip=--x")[Program.ip] == "--x")
    }

    @Test(arguments: [
        ("dev --prot 1", "unknown option '--prot'. Did you mean '--port'?"),
        ("dev --log-leve=info", "unknown option '--log-leve'. Did you mean '--log-level'?"),
        ("dev --something", "unknown option '--something'"),
        ("dev -x", "unknown option '-x'"),
        ("dev --port", "'--port' expects a value, PORT"),
        (
            "dev --port --ip 1",
            "'--port' expects a value, PORT. Write a value that begins with a dash as '--port=--ip'"
        ),
        ("dev --port 65536", "'--port' expects a number from 0 to 65535, not '65536'"),
        ("dev --port=", "'--port' expects a number from 0 to 65535, not ''"),
        (
            "dev --log-level inof",
            "'--log-level' expects one of error, warning, info, debug, not 'inof'. Did you mean 'info'?"
        ),
        ("dev --ephemeral=maybe", "'--ephemeral' expects true or false, not 'maybe'"),
        ("dev extra", "unexpected argument 'extra'"),
        ("serve", "'--config' is missing"),
        ("workflow show", "ID is missing"),
        ("workflow show a x", "'EVENT' expects a whole number, not 'x'"),
        ("workflow show a 1 2", "unexpected argument '2'"),
        ("devv", "'sagamore' has no command 'devv'. Did you mean 'dev'?"),
        ("workflow shwo", "'sagamore workflow' has no command 'shwo'. Did you mean 'show'?"),
        ("reboot", "'sagamore' has no command 'reboot'"),
        ("", "'sagamore' expects a command: dev, serve, command, events, workflow"),
        ("workflow", "'sagamore workflow' expects a command: show"),
        (
            "--output json workflow show a",
            "'--output' belongs after its command, as in 'sagamore command publish --output'"
        ),
        ("--hepl", "unknown option '--hepl'. Did you mean '--help'?"),
        ("help nothing", "'sagamore' has no command 'nothing'"),
    ]) func whatCannotBeFollowedIsExplained(line: String, message: String) {
        #expect(SampleProgram.error(line) == message)
    }

    @Test func aVariableIsNamedWhenItsValueIsWrong() {
        let error = Program.error("dev", environment: ["TEMPORAL_PORT": "x"])
        #expect(error == "the variable TEMPORAL_PORT expects a number from 0 to 65535, not 'x'")
    }

    @Test func secretsStayOutOfMessages() throws {
        let secret = Option<Int>("--pin", default: 1234, isSensitive: true, help: "Secret.")
        let command = Command("open", abstract: "Opens.", parameters: [secret]) { _ in }
        #expect(throws: UsageError("'--pin' expects a whole number")) {
            try command.parse(["--pin", "x"], environment: [:])
        }
        guard case .show(let help) = try command.parse(["--help"], environment: [:]) else {
            Issue.record("no help")
            return
        }
        #expect(!help.contains("1234"))
    }

    @Test func theVersionIsKnownAtEveryLevel() throws {
        #expect(try Program.text("--version") == "sagamore 1.2.3")
        #expect(try Program.text("workflow show --version") == "sagamore 1.2.3")
    }
}
