import Foundation
import SagamoreAPI
import SagamoreCommandLineArguments
import SagamoreProgramTestSupport
import SagamoreProtobuf
import Testing

@testable import SagamoreCLI

struct WorkflowOptionsTests {
    private func request(_ arguments: [String]) throws -> StartWorkflowExecutionRequest {
        let line = ["--type", "Order", "-t", "orders"] + arguments
        guard case .run(_, let values) = try StartCommand.start.parse(line, environment: [:]) else {
            throw UsageError("help was asked for")
        }
        return try StartOptions.request(values)
    }

    @Test func optionsBecomeARequest() throws {
        let request = try request([
            "-w", "o-1", "-i", "[1, 2]", "--run-timeout", "1m30s", "--start-delay", "1.5s", "--id-reuse-policy",
            "RejectDuplicate", "--id-conflict-policy", "UseExisting", "--memo", "note=\"a=b\"", "--search-attribute",
            "Total=1.50", "--cron", "@hourly", "--priority-key", "2", "--static-summary", "an order", "-n", "shop",
        ])
        #expect(request.namespace == "shop")
        #expect(request.workflowID == "o-1")
        #expect(request.workflowType?.name == "Order")
        #expect(request.taskQueue?.name == "orders")
        #expect(request.workflowRunTimeout == ProtobufDuration(seconds: 90, nanos: 0))
        #expect(request.workflowStartDelay == ProtobufDuration(seconds: 1, nanos: 500_000_000))
        #expect(request.workflowExecutionTimeout == nil)
        #expect(request.workflowIDReusePolicy == .rejectDuplicate)
        #expect(request.workflowIDConflictPolicy == .useExisting)
        #expect(request.cronSchedule == "@hourly")
        #expect(request.priority?.priorityKey == 2)
        #expect(request.requestID.count == 36)
        // JSON is passed on as it was written.
        let input = try #require(try request.input?.decoded().payloads.first)
        #expect(input.data == Array("[1, 2]".utf8))
        #expect(input.metadata["encoding"] == Array("json/plain".utf8))
        #expect(try request.memo?.decoded().fields["note"]?.data == Array("\"a=b\"".utf8))
        #expect(try request.searchAttributes?.decoded().indexedFields["Total"]?.data == Array("1.50".utf8))
        #expect(try request.userMetadata?.decoded().summary?.data == Array("\"an order\"".utf8))
    }

    @Test func aWorkflowWithoutAnIDGetsANewOne() throws {
        let ids = try [request([]), request([])].map(\.workflowID)
        #expect(ids.allSatisfy { $0.count == 36 })
        #expect(ids[0] != ids[1])
    }

    @Test(arguments: [
        (["--input", "{"], "'--input' expects JSON"),
        (["--input", "1", "--input-file", "x"], "'--input' cannot be combined with '--input-file'"),
        (["--memo", "note"], "'--memo' expects KEY=JSON"),
        (["--memo", "note=text"], "'--memo' expects KEY=JSON"),
        (["--memo", "a=1", "--memo", "a=2"], "'--memo' names 'a' twice"),
        (["--run-timeout", "5"], "'--run-timeout' expects a duration"),
        (["--id-reuse-policy", "Never"], "'--id-reuse-policy' expects one of AllowDuplicate"),
        (["--priority-key", "6"], "'--priority-key' expects a number from 1 to 5"),
        (["--workflow-id", ""], "'--workflow-id' must not be empty"),
    ])
    func aMistakeIsReportedWithItsOption(_ arguments: [String], _ message: String) throws {
        let error = try #require(throws: UsageError.self) { try request(arguments) }
        #expect(error.message.hasPrefix(message))
    }

    @Test func inputFilesAreReadInOrder() throws {
        let folder = try TemporaryFolder()
        let paths = ["a", "b", "c"].map { "\(folder.path)/\($0)" }
        for (path, text) in zip(paths, ["1", "{\"x\": 2}", "no json"]) {
            try text.write(toFile: path, atomically: false, encoding: .utf8)
        }
        let input = try request(["--input-file", paths[0], "--input-file", paths[1]]).input?.decoded()
        #expect(input?.payloads.map(\.data) == [Array("1".utf8), Array("{\"x\": 2}".utf8)])
        let error = try #require(throws: CommandFailure.self) { try request(["--input-file", paths[2]]) }
        #expect(error.description == "'--input-file' expects JSON in \(paths[2])")
    }

    @Test func metadataSaysWhatArgumentsAre() throws {
        let input = try request([
            "-i", "AQID", "-i", "MQ==", "--input-base64", "--input-meta", "encoding=binary/plain", "--input-meta",
            "encoding=json/plain", "--input-meta", "kind=x",
        ]).input?.decoded()
        let payloads = try #require(input?.payloads)
        #expect(payloads.map(\.data) == [[1, 2, 3], Array("1".utf8)])
        #expect(payloads.map { $0.metadata["encoding"] } == [Array("binary/plain".utf8), Array("json/plain".utf8)])
        #expect(payloads.map { $0.metadata["kind"] } == [Array("x".utf8), Array("x".utf8)])
        let wrong = try #require(throws: UsageError.self) { try request(["-i", "*", "--input-base64"]) }
        #expect(wrong.message.hasPrefix("'--input' expects base 64"))
        #expect(throws: UsageError.self) { try request(["-i", "AQID", "--input-base64"]) }
    }

    private func attributes(_ arguments: String...) throws -> ProtobufMap<IndexedValueType> {
        guard case .run(_, let values) = try SearchAttributeCommands.create.parse(arguments, environment: [:]) else {
            throw UsageError("help was asked for")
        }
        return try SearchAttributeCommands.attributes(values)
    }

    @Test func searchAttributesArePairsOfNamesAndTypes() throws {
        let pairs = try attributes("--name", "A", "--name", "B", "--type", "keywordlist", "--type", "Datetime")
        let expected: ProtobufMap<IndexedValueType> = ["A": .keywordList, "B": .datetime]
        #expect(pairs == expected)
        let odd = try #require(throws: UsageError.self) {
            try attributes("--name", "A", "--name", "B", "--type", "Int")
        }
        #expect(odd.message == "each '--name' needs its '--type'")
        let twice = try #require(throws: UsageError.self) {
            try attributes("--name", "A", "--name", "A", "--type", "Int", "--type", "Int")
        }
        #expect(twice.message == "'--name' gives 'A' twice")
        let missing = try #require(throws: UsageError.self) { try attributes("--type", "Int") }
        #expect(missing.message == "'--name' is missing")
    }
}
