import SagamoreJSONText
import Testing

@testable import SagamoreCLI

/// A text of `count` characters with two bytes each.
private func umlauts(_ count: Int) -> String { String(repeating: "ä", count: count) }

struct CommandSourceTests {
    private func commands(_ text: String) throws -> [CommandDocument] {
        try CommandSource.commands(in: Array(text.utf8), named: "input")
    }

    @Test func eachLineIsACommand() throws {
        let text =
            "{\"command_id\":\"1\",\"workflow_id\":\"w\"}\r\n\n  \n{ \"command_id\" : \"2\", \"order_id\": \"o\" }\n"
        let commands = try commands(text)
        #expect(commands.map(\.commandID) == ["1", "2"])
        #expect(commands.map(\.key) == ["w", "o"])
        // A line is published byte for byte.
        #expect(commands[1].value == Array("{ \"command_id\" : \"2\", \"order_id\": \"o\" }".utf8))
    }

    @Test func aDocumentMaySpanLines() throws {
        let commands = try commands("{\n  \"command_id\": \"1\"\n}\n")
        #expect(commands.map(\.commandID) == ["1"])
        #expect(commands[0].key == "1")
    }

    @Test func anArrayHoldsCommands() throws {
        #expect(try commands("[{\"command_id\":\"1\"},{\"command_id\":\"2\"}]").map(\.commandID) == ["1", "2"])
    }

    @Test(arguments: ["\n", ""])
    func duplicateKeysInsideValuesArePublishedUnchanged(_ end: String) throws {
        let command = #"{"command_id":"1","input":{"x":1,"x":2}}"#
        #expect(try commands(command + end).map(\.value) == [Array(command.utf8)])
        #expect(
            try commands("[\(command), \(command)]" + end).map(\.value)
                == Array(repeating: Array(command.utf8), count: 2)
        )
        #expect(try commands(command + "\n" + command + end).count == 2)
    }

    @Test func aByteOrderMarkIsNotPublished() throws {
        let command = #"{"command_id":"1"}"#
        #expect(try commands("\u{FEFF}" + command).map(\.value) == [Array(command.utf8)])
        #expect(try commands("\u{FEFF}" + command + "\n" + command).map(\.value).first == Array(command.utf8))
    }

    @Test(arguments: [
        ("{\"command_id\":\"1\",\"input\":1,\"input\":2}", "its input is given more than once"),
        ("{\"command_id\":\"1\"}\n{\"command_id\":\"1\",\"o\":1,\"o\":2}", "line 2: its o is given more than once"),
        ("{\"command_id\":\"1\"}\n{\"command_id\":7}", "line 2: it has no command_id"),
        ("{\"command_id\":\"\"}", "command 1: it has no command_id"),
        ("{\"command_id\":\"1\"}\n{\"command_id\"", "line 2: it is not JSON"),
        ("[{\"command_id\":\"1\"}, 5]", "command 2: it is not a JSON object"),
        ("{\"command_id\":\"1\"}\n5", "line 2: it is not a JSON object"),
        ("{\"command_id\":\"1\"}\n{\"command_id\":\"a\\u0000\"}", "line 2: its command_id must not contain NUL"),
        ("{\"command_id\":\"\(umlauts(256))\"}", "command 1: its command_id has more than 255 characters"),
        ("{\"command_id\":\"1\",\"workflow_id\":\"\"}", "command 1: its workflow_id must not be empty"),
        ("{\"command_id\":\"1\",\"workflow_id\":\"\\u0000\"}", "command 1: its workflow_id must not contain NUL"),
        ("{\"command_id\":\"1\",\"workflow_id\":\"\(umlauts(501))\"}", "its workflow_id has more than 1000 bytes"),
    ])
    func anInvalidCommandIsReportedWithItsPosition(_ text: String, _ message: String) throws {
        let error = try #require(throws: CommandFailure.self) { try commands(text) }
        #expect(error.description.contains(message))
        #expect(error.description.hasSuffix("Nothing was published"))
    }

    @Test func idsMayBeAsLongAsTheServiceAllows() throws {
        let commands = try commands("{\"command_id\":\"\(umlauts(255))\",\"workflow_id\":\"\(umlauts(500))\"}")
        #expect(commands.map(\.commandID.unicodeScalars.count) == [255])
        #expect(commands.map { $0.workflowID?.utf8.count } == [1_000])
    }

    @Test func blankInputHoldsNoCommand() throws {
        #expect(try commands("\n \n").isEmpty)
    }
}
