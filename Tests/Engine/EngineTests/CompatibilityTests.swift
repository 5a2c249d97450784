import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// A table of docs/COMPATIBILITY.md: the status of each name below a heading.
struct CompatibilityTable {
    let rows: [(name: String, status: String, note: String)]

    init(_ heading: String) throws {
        let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../..").standardizedFileURL
        let text = try String(contentsOf: root.appendingPathComponent("docs/COMPATIBILITY.md"), encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let first = try #require(lines.firstIndex(of: "## \(heading)"))
        let section = lines[(first + 1)...].prefix { !$0.hasPrefix("## ") }
        rows = section.filter { $0.hasPrefix("| ") }.dropFirst().map { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            return (cells[1], cells[2], cells.dropFirst(3).dropLast().joined(separator: "|"))
        }
    }

    /// The names that are there, alike or not.
    var present: Set<String> { Set(rows.filter { $0.status != "not there" }.map(\.name)) }

    /// The rows that say nothing sensible.
    var badRows: [String] {
        rows.filter { row in
            !["there", "different", "not there"].contains(row.status) || (row.status == "different") == row.note.isEmpty
        }
        .map(\.name)
    }
}

/// docs/COMPATIBILITY.md says of each command and event whether it is there.
@Suite struct CompatibilityTests {
    private static let commands: [(CommandType, Command.OneOf_Attributes)] = [
        (.scheduleActivityTask, .scheduleActivityTaskCommandAttributes(.init())),
        (.requestCancelActivityTask, .requestCancelActivityTaskCommandAttributes(.init())),
        (.startTimer, .startTimerCommandAttributes(.init())),
        (.completeWorkflowExecution, .completeWorkflowExecutionCommandAttributes(.init())),
        (.failWorkflowExecution, .failWorkflowExecutionCommandAttributes(.init())),
        (.cancelTimer, .cancelTimerCommandAttributes(.init())),
        (.cancelWorkflowExecution, .cancelWorkflowExecutionCommandAttributes(.init())),
        (
            .requestCancelExternalWorkflowExecution,
            .requestCancelExternalWorkflowExecutionCommandAttributes(.init())
        ),
        (.recordMarker, .recordMarkerCommandAttributes(.init())),
        (.continueAsNewWorkflowExecution, .continueAsNewWorkflowExecutionCommandAttributes(.init())),
        (.startChildWorkflowExecution, .startChildWorkflowExecutionCommandAttributes(.init())),
        (.signalExternalWorkflowExecution, .signalExternalWorkflowExecutionCommandAttributes(.init())),
        (.upsertWorkflowSearchAttributes, .upsertWorkflowSearchAttributesCommandAttributes(.init())),
        (.protocolMessage, .protocolMessageCommandAttributes(.init())),
        (.modifyWorkflowProperties, .modifyWorkflowPropertiesCommandAttributes(.init())),
        (.scheduleNexusOperation, .scheduleNexusOperationCommandAttributes(.init())),
        (.requestCancelNexusOperation, .requestCancelNexusOperationCommandAttributes(.init())),
    ]

    /// `StartTimer` for `COMMAND_TYPE_START_TIMER`.
    private static func name(_ description: String, without prefix: String) -> String {
        description.dropFirst(prefix.count).split(separator: "_").map { $0.prefix(1) + $0.dropFirst().lowercased() }
            .joined()
    }

    @Test func eachCommandIsAsTheDocumentSays() throws {
        let table = try CompatibilityTable("Commands")
        #expect(table.badRows.isEmpty)
        let names = Self.commands.map { Self.name($0.0.description, without: "COMMAND_TYPE_") }
        #expect(table.rows.map(\.name) == names)
        var present: Set<String> = []
        for ((type, attributes), name) in zip(Self.commands, names) {
            let stage = Stage()
            try stage.start()
            try stage.pollWorkflowTask()
            var command = Command()
            command.commandType = type
            command.attributes = attributes
            do throws(RequestError) {
                let decision = try stage.complete { $0.commands = [command] }
                if case .refused(let error) = decision.reply, error.message.contains("is not available in") { continue }
            } catch {
                if error.message.contains("is not available in") { continue }
            }
            present.insert(name)
        }
        #expect(present == table.present)
    }

    /// An event is there if the engine makes its attributes somewhere.
    @Test func eachEventIsAsTheDocumentSays() throws {
        let table = try CompatibilityTable("Events")
        #expect(table.badRows.isEmpty)
        let names = (1...60).map { EventType(rawValue: $0).description }.filter { $0.hasPrefix("EVENT_TYPE_") }
            .map { Self.name($0, without: "EVENT_TYPE_") }
        #expect(Set(table.rows.map(\.name)) == Set(names))
        let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../..").standardizedFileURL
        let folder = root.appendingPathComponent("Sources/Engine/Decide")
        var sources = ""
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
            sources += try String(contentsOf: file, encoding: .utf8)
        }
        let present = names.filter { name in
            let makes = ".\(name.prefix(1).lowercased())\(name.dropFirst())EventAttributes("
            return sources.components(separatedBy: makes).dropFirst().contains {
                !$0.hasPrefix("let ") && !$0.hasPrefix("var ")
            }
        }
        #expect(Set(present) == table.present)
    }
}
