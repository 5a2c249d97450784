import SagamoreCommandLineArguments
import SagamoreJSONText
import Testing

@testable import SagamoreCLI

struct PublishOptionsTests {
    private func command(
        _ arguments: String...,
        environment: [String: String] = [:]
    ) throws -> CommandDocument? {
        guard case .run(_, let values) = try PublishCommand.command.parse(arguments, environment: environment) else {
            Issue.record("help was asked for")
            return nil
        }
        return try PublishOptions.command(values)
    }

    private func namespace(_ document: CommandDocument?) throws -> String? {
        try JSONValue.parse(try #require(document).value)["namespace"]?.string
    }

    @Test func aVariableSetsTheNamespaceOfACommandMadeFromOptions() throws {
        let temporal = ["TEMPORAL_NAMESPACE": "b"]
        let both = ["TEMPORAL_NAMESPACE": "b", "SAGAMORE_NAMESPACE": "a"]
        #expect(try namespace(command("--command-id", "1")) == nil)
        #expect(try namespace(command("--command-id", "1", environment: temporal)) == "b")
        #expect(try namespace(command("--command-id", "1", environment: both)) == "a")
        #expect(try namespace(command("--command-id", "1", "-n", "c", environment: both)) == "c")
    }

    @Test func aVariableAloneMakesNoCommand() throws {
        #expect(try command("commands.jsonl", environment: ["SAGAMORE_NAMESPACE": "a"]) == nil)
    }

    @Test func anInvalidIDIsReportedWithItsFlag() throws {
        let long = String(repeating: "x", count: 1_001)
        let mistakes = [
            (["--command-id", ""], "'--command-id' is missing"),
            (["--command-id", String(long.prefix(256))], "'--command-id' has more than 255 characters"),
            (["--command-id", "1", "--workflow-id", ""], "'--workflow-id' must not be empty"),
            (["--command-id", "1", "--workflow-id", long], "'--workflow-id' has more than 1000 bytes"),
        ]
        for (arguments, message) in mistakes {
            guard case .run(_, let values) = try PublishCommand.command.parse(arguments, environment: [:]) else {
                Issue.record("help was asked for")
                continue
            }
            let error = try #require(throws: UsageError.self) { try PublishOptions.command(values) }
            #expect(error.message.hasPrefix(message))
        }
    }
}
