import SagamoreJSONText
import SagamoreProgramTestSupport
import Testing

extension ProgramTests {
    /// `sagamore operator search-attribute` against the shared `dev`.
    @Suite(.serialized)
    struct SearchAttributeCommandTests {
        private let dev: DevProgram

        init() throws { dev = try DevProgram.shared() }

        private func attribute(_ arguments: String...) throws -> Outcome {
            try sagamore(["operator", "search-attribute"] + arguments + ["--data-dir", dev.dataFolder])
        }

        @Test func attributesAreCreatedUsedListedAndRemoved() throws {
            let created = try attribute(
                "create",
                "--name",
                "CLICustomer",
                "--type",
                "Keyword",
                "--name",
                "CLITotal",
                "--type",
                "int"
            )
            #expect(created.status == 0)
            #expect(created.output == "Search attributes have been added\n")
            let json = try JSONValue.parse(try attribute("list", "-o", "json").output)
            #expect(json["customAttributes"]?["CLICustomer"]?.string == "INDEXED_VALUE_TYPE_KEYWORD")
            #expect(json["customAttributes"]?["CLITotal"]?.string == "INDEXED_VALUE_TYPE_INT")
            let table = try attribute("list").lines.map { $0.split(separator: " ").map(String.init) }
            #expect(table.first == ["Name", "Type"])
            #expect(table.contains(["CLITotal", "Int"]))
            #expect(table.contains(["ExecutionStatus", "Keyword"]))

            let start = ["workflow", "start", "--type", "CLIAttributed", "-t", "nobody", "-w", "attributed"]
            let values = ["--search-attribute", "CLICustomer=\"c-1\"", "--search-attribute", "CLITotal=7"]
            #expect(try sagamore(start + values + ["--data-dir", dev.dataFolder]).status == 0)
            let found = try dev.run("workflow", "list", "-q", "CLICustomer = 'c-1' AND CLITotal > 6", "-o", "jsonl")
            #expect(found.lines.count == 1)

            let other = try attribute("create", "--name", "CLICustomer", "--type", "Int")
            #expect(other.status == 1)
            #expect(other.errors.contains("its type is Keyword"))

            let unconfirmed = try attribute("remove", "--name", "CLICustomer")
            #expect(unconfirmed.status == 1)
            #expect(unconfirmed.errors.contains("'--yes'"))
            let removed = try attribute("remove", "--name", "CLICustomer", "--name", "CLITotal", "--yes")
            #expect(removed.output == "Search attributes have been removed\n")
            #expect(try !attribute("list").output.contains("CLICustomer"))
        }
    }
}
