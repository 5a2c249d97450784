import Foundation
import SagamoreAPI
import SagamoreGRPC
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

extension FrontTests {
    /// docs/COMPATIBILITY.md says of each RPC whether it is there.
    @Suite struct CompatibilityTests {
        @Test(arguments: ["WorkflowService", "OperatorService"])
        func eachRPCIsAsTheDocumentSays(_ service: String) async throws {
            let table = try CompatibilityTable(service)
            let paths = WorkflowServiceMethod.allCases.map(\.rawValue) + OperatorServiceMethod.allCases.map(\.rawValue)
            let names = paths.filter { $0.contains(".\(service)/") }.map { String($0.split(separator: "/")[1]) }
            #expect(table.rows.map(\.name) == names)
            #expect(table.badRows.isEmpty)
            try await withFront { client in
                var present: Set<String> = []
                for path in paths where path.contains(".\(service)/") {
                    let name = String(path.split(separator: "/")[1])
                    do throws(GRPCStatus) {
                        _ = try await client.channel.call(path, [], deadline: .seconds(20))
                        present.insert(name)
                    } catch {
                        let missing = "\(name) is not available in this version of sagamore"
                        if error.code != .unimplemented || error.message != missing { present.insert(name) }
                    }
                }
                #expect(present.subtracting(table.present) == [], "there, but not in docs/COMPATIBILITY.md")
                #expect(table.present.subtracting(present) == [], "in docs/COMPATIBILITY.md, but not there")
            }
        }
    }
}
