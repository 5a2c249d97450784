import SagamoreEngine
import Testing

@testable import SagamoreVisibility

/// What filters mean, and what is said about wrong ones.
@Suite struct FilterTests {
    private func problem(_ text: String) -> String {
        do throws(FilterError) {
            _ = try Filter(text, VisibleWorld.catalog)
            return "none"
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        (
            "WorkflowId",
            "expected a comparison (=, !=, <, <=, >, >=, BETWEEN, IN, STARTS_WITH, IS), found the end at character 11"
        ),
        ("WorkflowId =", "expected a value (a text in quotes, a number, true or false), found the end at character 13"),
        (
            "WorkflowId = Running",
            "expected a value (a text in quotes, a number, true or false), found 'Running' at character 14"
        ),
        ("(WorkflowId = 'a'", "expected AND, OR or ')', found the end at character 18"),
        ("WorkflowId = 'a')", "expected AND, OR or the end, found ')' at character 17"),
        ("WorkflowId = 'a' AND", "expected the name of an attribute, found the end at character 21"),
        ("WorkflowId = 'a", "the text that begins here does not end, expected ' at character 14"),
        ("WorkflowId IN ('a' 'b')", "expected ',' or ')', found a text at character 20"),
        ("WorkflowId NOT = 'a'", "expected BETWEEN, IN or STARTS_WITH, found '=' at character 16"),
        ("'a' = WorkflowId", "expected the name of an attribute, found a text at character 1"),
        ("1 = 1", "expected the name of an attribute, found '1' at character 1"),
        ("StartTime BETWEEN 1 OR 2", "expected AND, found 'OR' at character 21"),
        ("WorkflowId ! 'a'", "'!' is no comparison, expected '!=' at character 12"),
        ("WorkflowId = 'a'; drop table runs", "';' means nothing at character 17"),
        ("WorkflowTyp = 'a'", "invalid search attribute: WorkflowTyp at character 1. Did you mean 'WorkflowType'?"),
        ("workflowtype = 'a'", "invalid search attribute: workflowtype at character 1. Did you mean 'WorkflowType'?"),
        ("Nonsense = 'a'", "invalid search attribute: Nonsense at character 1"),
        ("MyInt = 'x'", "invalid value for MyInt: expected an integer at character 9"),
        ("MyInt = 1.5", "invalid value for MyInt: expected an integer at character 9"),
        ("MyBool = 1", "invalid value for MyBool: expected true or false at character 10"),
        ("MyKeyword = 5", "invalid value for MyKeyword: expected a text in quotes at character 13"),
        ("MyKeywordList > 'a'", "MyKeywordList can be compared by = and != only at character 1"),
        ("MyInt STARTS_WITH '1'", "STARTS_WITH is for keywords, and MyInt is none at character 1"),
        (
            "StartTime > 'yesterday'",
            "invalid value for StartTime: expected a time as '2026-01-31T12:00:00Z', or nanoseconds since 1970"
                + " at character 13"
        ),
        (
            "ExecutionDuration > 'long'",
            "invalid value for ExecutionDuration: expected a duration as '1h30m', or nanoseconds at character 21"
        ),
        (
            "ExecutionStatus = 'running'",
            "invalid value for ExecutionStatus: expected one of Running, Completed, Failed, Canceled, Terminated,"
                + " ContinuedAsNew, TimedOut, Paused at character 19"
        ),
        ("GROUP BY WorkflowType, TaskQueue", "GROUP BY takes one attribute at character 24"),
        ("GROUP BY StartTime", "GROUP BY is not for StartTime at character 10"),
        ("ORDER BY MyText", "ORDER BY is not for MyText at character 10"),
        ("ORDER StartTime", "expected the name of an attribute, found 'ORDER' at character 1"),
    ])
    func wrongFiltersSayWhere(_ text: String, _ expected: String) {
        #expect(problem(text) == expected)
    }

    @Test func filtersHaveBounds() {
        let long = "WorkflowId = '" + String(repeating: "x", count: 100_000) + "'"
        #expect(problem(long) == "the filter has 100015 bytes, and 65536 are allowed")
        let many = Array(repeating: "MyInt=1", count: 2_001).joined(separator: " OR ")
        #expect(problem(many).hasPrefix("the filter has more than 2000 comparisons at character "))
        let list = "MyInt IN (" + Array(repeating: "1", count: 10_000).joined(separator: ",") + ")"
        #expect(problem(list).hasPrefix("the filter has more than 2000 comparisons"))
        let deep = String(repeating: "(", count: 200) + "MyInt=1" + String(repeating: ")", count: 200)
        #expect(problem(deep).hasPrefix("more than 100 parentheses and NOTs inside each other"))
        let negated = String(repeating: "NOT ", count: 200) + "MyInt=1"
        #expect(problem(negated).hasPrefix("more than 100 parentheses"))
    }

    @Test(arguments: [
        ("", nil as Condition?),
        ("   ", nil),
        ("WorkflowId='a'", .comparison(.column(.workflowID), .equal, .text("a"))),
        ("`WorkflowId` <> \"it's\"", .comparison(.column(.workflowID), .notEqual, .text("it's"))),
        ("WorkflowId = 'it''s \\\\ \\' x'", .comparison(.column(.workflowID), .equal, .text("it's \\ ' x"))),
        ("ScheduleId = 'a'", .comparison(.column(.workflowID), .equal, .text("a"))),
        ("ExecutionStatus = 'WORKFLOW_EXECUTION_STATUS_FAILED'", .comparison(.column(.status), .equal, .int(3))),
        ("ExecutionStatus = 3", .comparison(.column(.status), .equal, .int(3))),
        (
            "StartTime >= '1970-01-01T01:00:01+01:00'",
            .comparison(.column(.startTime), .greaterOrEqual, .int(1_000_000_000))
        ),
        ("ExecutionDuration < '01:30:00'", .comparison(.column(.duration), .less, .int(5_400_000_000_000))),
        ("ExecutionDuration < '1h30m'", .comparison(.column(.duration), .less, .int(5_400_000_000_000))),
        ("ExecutionDuration < '77'", .comparison(.column(.duration), .less, .int(77))),
        ("RunId = 'no id'", .never(.column(.runID))),
        ("RunId != 'no id'", .not(.never(.column(.runID)))),
        ("HistoryLength = 1e2", .comparison(.column(.historyLength), .equal, .int(100))),
        ("HistoryLength IN (1, +2)", .among(.column(.historyLength), [.int(1), .int(2)])),
        ("HistoryLength not between 1 and 2", .not(.between(.column(.historyLength), .int(1), .int(2)))),
        ("CloseTime is Not null", .not(.isNull(.column(.closeTime)))),
        (
            "TaskQueue='a' or TaskQueue='b' and not TaskQueue='c'",
            .or([
                .comparison(.column(.taskQueue), .equal, .text("a")),
                .and([
                    .comparison(.column(.taskQueue), .equal, .text("b")),
                    .not(.comparison(.column(.taskQueue), .equal, .text("c"))),
                ]),
            ])
        ),
    ])
    func filtersMean(_ text: String, _ expected: Condition?) throws {
        #expect(try Filter(text, VisibleWorld.catalog).condition == expected)
    }

    @Test func ordersAndGroups() throws {
        let filter = try Filter("MyInt > 1 group by MyBool order by CloseTime desc", VisibleWorld.catalog)
        #expect(filter.group?.name == "MyBool" && filter.order?.field == .column(.closeTime))
        #expect(filter.order?.isDescending == true && filter.condition != nil)
        #expect(try Filter("Order by StartTime", VisibleWorld.catalog).order?.isDescending == false)
    }

    @Test func tokensAreOfUseForTheirListOnly() throws {
        let list = ListIdentity(namespace: 1, query: "a")
        let keys: [FilterValue?] = [
            nil, .int(-5), .fraction(0.1), .text("ä'"), .runID(RunID(high: 7, low: 8)), .text(""),
        ]
        for key in keys {
            let token = PageToken(key: key, runID: RunID(high: 1, low: 2))
            let bytes = token.bytes(of: list)
            #expect(PageToken(bytes, of: list) == token)
            #expect(PageToken(bytes, of: ListIdentity(namespace: 2, query: "a")) == nil)
            #expect(PageToken(bytes, of: ListIdentity(namespace: 1, query: "b")) == nil)
            for length in 0..<26 { #expect(PageToken(Array(bytes.prefix(length)), of: list) == nil) }
        }
        #expect(PageToken([], of: list) == nil && PageToken(Array("garbage".utf8), of: list) == nil)
    }
}
