import SagamoreEngine
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreVisibility

extension VisibilityTests {
    /// The database and plain code agree on which runs a filter describes.
    @Suite struct FilterFuzz {
        static let seed: UInt64 = 20_261_129

        @Test func theDatabaseFindsWhatPlainCodeFinds() throws {
            var random = RandomFilters(seed: Self.seed)
            let world = try VisibleWorld()
            let runs = (1...2_000).map { random.run($0) }
            try world.write(runs)
            let visible = runs.filter { $0.namespace == 1 }.sorted { $0.runID > $1.runID }
            var found = 0
            for number in 0..<600 {
                let text = random.filter()
                let filter = try Filter(text, VisibleWorld.catalog)
                let condition = try #require(filter.condition)
                let expected = visible.filter { Evaluator(run: $0).holds(condition) == true }.map(\.workflowID)
                let ids = try world.ids(text)
                let extra = Set(ids).subtracting(expected).sorted().prefix(5)
                let missing = Set(expected).subtracting(ids).sorted().prefix(5)
                #expect(
                    (ids == expected) as Bool,
                    "filter \(number) of seed \(Self.seed): \(text); too many: \(extra), missing: \(missing)"
                )
                #expect(try world.count(text).first?.count == Int64(expected.count), "count of \(text)")
                if !expected.isEmpty, expected.count < visible.count { found += 1 }
                if ids != expected { break }
            }
            #expect(found > 200, "too few filters that divide the runs: \(found)")
        }

        @Test func everyOrderIsThatOfPlainCode() throws {
            var random = RandomFilters(seed: Self.seed + 1)
            let world = try VisibleWorld()
            let runs = (1...300).map { random.run($0) }.filter { $0.namespace == 1 }
            try world.write(runs)
            let fields =
                FilterColumn.allCases.map { FilterField.column($0) }
                + VisibleWorld.attributes.map { FilterField.attribute($0) }
            for field in fields where field.kind != .text && field.kind != .keywordList {
                for direction in ["", "ASC", "DESC"] {
                    let expected = runs.sorted { left, right in
                        let isBefore = Self.isBefore(left, right, field)
                        return direction == "DESC" ? Self.isBefore(right, left, field) : isBefore
                    }
                    var ids: [String] = []
                    var token: [UInt8] = []
                    repeat {
                        let page = try world.list("ORDER BY \(field.name) \(direction)", limit: 7, token: token)
                        ids += page.runs.map { $0.execution?.workflowID ?? "" }
                        token = page.token
                    } while !token.isEmpty
                    #expect(ids == expected.map(\.workflowID), "\(field.name) \(direction)")
                }
            }
        }

        /// What a run lacks is the largest.
        private static func isBefore(_ left: VisibleRun, _ right: VisibleRun, _ field: FilterField) -> Bool {
            let values = (Evaluator(run: left).values(field).first, Evaluator(run: right).values(field).first)
            switch values {
            case (nil, nil): break
            case (nil, _): return false
            case (_, nil): return true
            case (let first?, let second?):
                let order = Evaluator.order(first, second)
                if order != 0 { return order < 0 }
            }
            return left.runID < right.runID
        }

        /// Whatever a filter says, the statement has the same words: those of this program.
        @Test func noTextOfAFilterReachesTheStatement() throws {
            var random = RandomFilters(seed: Self.seed + 2)
            let marks = ["zq1", "zq2'--", "zq3\"; drop table sagamore.runs; --", "zq4 $1 \\", "zq5*/"]
            let names = marks.enumerated().map { index, mark in
                SearchAttribute(id: Int32(index + 50), name: mark, type: .keyword)
            }
            let catalog = SearchAttributeCatalog(namespace: "default", VisibleWorld.attributes + names)
            for _ in 0..<2_000 {
                let mark = marks[random.below(marks.count)]
                let quoted = "'" + mark.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
                let text =
                    "(\(random.filter()) or `\(mark)` = \(quoted) or MyKeywordList in (\(quoted), 'x')"
                    + " or WorkflowId starts_with \(quoted) or MyText = \(quoted)) order by `\(mark)`"
                let filter = try Filter(text, catalog)
                let list = ListQuery(filter, namespace: 1, after: nil, limit: 10)
                let count = CountQuery(filter, namespace: 1)
                for sql in [list.statement.sql, count.statement.sql] {
                    #expect(!sql.contains("zq") && !sql.contains("--") && !sql.contains(";"), "\(sql)")
                }
            }
        }

        /// Any text is a filter, or is refused with a place in it.
        @Test func noTextMakesTheParserFail() throws {
            var random = RandomFilters(seed: Self.seed + 3)
            let parts = [
                "WorkflowId", "=", "'", "\"", "`", "(", ")", ",", "AND", "OR", "NOT", "IN", "BETWEEN", "IS", "NULL",
                "5",
                "-", "1e999", "'x'", "STARTS_WITH", "GROUP", "BY", "ORDER", "\\", "ä", "\u{0}", "\n", "!", "<>", "<",
                ";", "--", "/*", "MyInt", "MyText", "true", "'2026-01-01T00:00:00Z'", " ",
            ]
            var refused = 0
            for _ in 0..<20_000 {
                let text = (0..<random.below(12)).map { _ in parts[random.below(parts.count)] }.joined(separator: " ")
                do throws(FilterError) {
                    _ = try Filter(text, VisibleWorld.catalog)
                } catch {
                    refused += 1
                    let position = try #require(error.position, "\(text): \(error)")
                    #expect((1...text.unicodeScalars.count + 1).contains(position), "\(text): \(error)")
                }
            }
            #expect(refused > 15_000)
        }
    }
}
