import SagamoreKafkaClient
import Testing

@testable import SagamoreCLI

private func event(_ json: String) throws -> SagaEvent {
    let record = KafkaRecord(topic: "t", partition: 0, offset: 0, key: nil, value: Array(json.utf8), timestamp: 1_000)
    return try #require(SagaEvent(record))
}

struct EventTests {
    @Test(arguments: [
        ("{\"status\":\"accepted\"}", false, true), ("{\"status\":\"passed\"}", true, true),
        ("{\"status\":\"delivered\"}", true, true), ("{\"status\":\"compensated\"}", true, false),
        ("{\"status\":\"rejected\"}", true, false), ("{\"status\":\"answered\",\"result\":1}", true, true),
        ("{\"status\":\"answered\",\"failure\":{}}", true, false), ("{\"status\":\"step_started\"}", false, false),
    ])
    func statusesTellWhetherACommandIsDoneAndSucceeded(_ json: String, isLast: Bool, isGood: Bool) throws {
        let event = try event(json)
        #expect(event.isLast == isLast)
        #expect(event.isGood == isGood)
    }

    @Test func onlyAJSONObjectIsAnEvent() {
        for text in ["", "[]", "{", "\"x\""] {
            let record = KafkaRecord(topic: "t", partition: 0, offset: 0, key: nil, value: Array(text.utf8))
            #expect(SagaEvent(record) == nil)
        }
        #expect(SagaEvent(KafkaRecord(topic: "t", partition: 0, offset: 0, key: nil, value: nil)) == nil)
    }

    @Test func anEventIsReadWhateverItsResult() throws {
        let head = "{\"command_id\":\"1\",\"workflow_id\":\"w\",\"status\":\"passed\",\"result\":"
        let deep = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        let results = [
            // A result of several values is an array of its own.
            ("[\(deep), \(deep)]", "[\(deep),\(deep)]"), ("{\"a\":1,\r\n\"a\":2}", "{\"a\":1,  \"a\":2}"),
        ]
        for (result, shown) in results {
            let event = try event(head + result + "}")
            #expect(event.commandID == "1")
            #expect(event.workflowID == "w")
            #expect(event.isLast && event.isGood)
            #expect(event.detail == shown)
            var printer = EventPrinter(.json)
            #expect(printer.text(event) == head + shown + "}\n")
        }
    }

    @Test(arguments: ["9999-12-31T23:59:59Z", "2262-04-12T00:00:00Z", "0000-01-01T00:00:00Z"])
    func aTimeOutOfRangeIsLeftOut(_ time: String) throws {
        let strange = try event("{\"status\":\"passed\",\"at\":\"\(time)\"}")
        #expect(strange.at == nil)
        var printer = EventPrinter(.text)
        let text = printer.text(strange, isColored: false)
        #expect(text.hasSuffix("passed\n"))
    }

    @Test func recordsWithExtremeTimestampsAreShown() throws {
        for timestamp in [Int64.max, .min] {
            let record = KafkaRecord(
                topic: "t",
                partition: 0,
                offset: 0,
                key: nil,
                value: Array("{\"status\":\"accepted\"}".utf8),
                timestamp: timestamp
            )
            #expect(try #require(SagaEvent(record)).at == nil)
            var printer = EventPrinter(.text)
            let text = printer.text(OtherRecord(record: record), isColored: false)
            #expect(text.contains("no event"))
        }
    }

    @Test func aDurationOutOfRangeIsLeftOut() throws {
        var printer = EventPrinter(.text)
        for (status, at) in [("accepted", "1678-01-01T00:00:00Z"), ("passed", "2262-01-01T00:00:00Z")] {
            let event = try event("{\"command_id\":\"1\",\"status\":\"\(status)\",\"at\":\"\(at)\"}")
            let text = printer.text(event, isColored: false)
            #expect(text.hasSuffix("\(status)\n"))
        }
    }

    @Test func aFailureIsSummarizedByItsOutermostAndInnermostCause() throws {
        let text = """
            {"status":"compensated","failure":{"type":"SagaCompensated","message":"rolled back","cause":{"message":"m",\
            "cause":{"type":"InvalidBooking","message":"no flight"}}},"compensations":[\
            {"step":"a","compensation":"undo_a","status":"compensated"},\
            {"step":"b","compensation":"undo_b","status":"failed"}]}
            """
        #expect(
            try event(text).detail
                == "SagaCompensated: rolled back <- InvalidBooking: no flight; undone: undo_a, undo_b (failed)"
        )
        #expect(try event("{\"reason\":{\"code\":\"NOT_FOUND\",\"message\":\"none\"}}").detail == "NOT_FOUND: none")
        #expect(try event("{\"result\":{\"b\":1,\"a\":2}}").detail == "{\"b\":1,\"a\":2}")
        #expect(try event("{\"result_omitted\":true}").detail == "the result is too large for the topic")
    }

    @Test func theTableShowsHowLongACommandTook() throws {
        var printer = EventPrinter(.text)
        func line(_ id: String, _ status: String, _ at: String) throws -> [Substring] {
            let text = "{\"command_id\":\"\(id)\",\"workflow_id\":\"w\",\"status\":\"\(status)\",\"at\":\"\(at)\"}"
            return printer.text(try event(text), isColored: false).split(separator: "\n")
        }
        let first = try line("1", "accepted", "2026-01-01T10:00:00.100Z")
        #expect(first.count == 2)
        #expect(first[0].hasPrefix("TIME (UTC)"))
        #expect(first[1] == "2026-01-01 10:00:00.100  w           1         accepted")
        #expect(try line("2", "accepted", "2026-01-01T10:00:00.200Z").count == 1)
        #expect(try line("1", "passed", "2026-01-01T10:00:01.434Z")[0].hasSuffix("passed       1.33 s"))
        #expect(try line("2", "failed", "2026-01-01T10:00:00.950Z")[0].hasSuffix("failed       750 ms"))
        #expect(try line("3", "rejected", "2026-01-01T10:00:00.950Z")[0].hasSuffix("rejected"))
    }

    @Test(arguments: [
        (0, "0 ms"), (999_999_999, "999 ms"), (1_000_000_000, "1.00 s"), (59_990_000_000, "59.99 s"),
        (65_000_000_000, "1m5s"), (-5, "0 ms"),
    ])
    func durationsAreShort(_ nanoseconds: Int64, _ text: String) {
        #expect(EventPrinter.duration(nanoseconds) == text)
    }

    @Test func tableColumnsGrowAndCellsAreSanitized() {
        var table = StreamingTable([.init(title: "A", width: 3), .init(title: "B", width: 0)], lineWidth: 30)
        #expect(table.header(colors: false) == "A    B\n")
        #expect(table.row(["1", "x"], colors: [:], isColored: false) == "1    x\n")
        #expect(table.row(["12345", "x"], colors: [:], isColored: false) == "12345  x\n")
        #expect(table.row(["1", "a\nb\u{1b}[31m"], colors: [:], isColored: false) == "1      a b [31m\n")
        let long = table.row(["1", String(repeating: "z", count: 90)], colors: [:], isColored: false)
        #expect(long == "1      " + String(repeating: "z", count: 22) + "…\n")
        #expect(table.row(["1", "x"], colors: [0: .red], isColored: true) == "\u{1b}[31m1\u{1b}[0m      x\n")
    }
}

struct WaitingTests {
    @Test func waitingEndsWithAnOutcomeForEveryCommand() throws {
        let commands = try CommandSource.commands(
            in: Array(
                "[{\"command_id\":\"1\",\"workflow_id\":\"a\"},{\"command_id\":\"1\",\"workflow_id\":\"b\"}]".utf8
            ),
            named: "x"
        )
        var waiting = Waiting(commands + commands)
        func note(_ workflow: String, _ id: String, _ status: String) throws -> Bool {
            try waiting.note(
                event("{\"command_id\":\"\(id)\",\"workflow_id\":\"\(workflow)\",\"status\":\"\(status)\"}")
            )
        }
        #expect(try note("a", "1", "accepted"))
        #expect(try !note("c", "1", "passed"))
        #expect(try !note("a", "2", "passed"))
        #expect(!waiting.isDone)
        #expect(try note("a", "1", "passed"))
        #expect(!waiting.isDone)
        #expect(try note("b", "1", "failed"))
        #expect(waiting.isDone)
    }

    @Test func aCommandWithoutAWorkflowIDIsMatchedByItsOwnID() throws {
        let text = "{\"command_id\":\"1\"}\n{\"command_id\":\"1\",\"workflow_id\":\"1\"}"
        var waiting = Waiting(try CommandSource.commands(in: Array(text.utf8), named: "x"))
        let other = try event("{\"command_id\":\"1\",\"workflow_id\":\"other\",\"status\":\"passed\"}")
        let own = try event("{\"command_id\":\"1\",\"workflow_id\":\"1\",\"status\":\"failed\"}")
        #expect(waiting.note(other) == false)
        #expect(!waiting.isDone)
        #expect(waiting.note(own) == true)
        #expect(waiting.isDone)
    }

    @Test func aWaitTimesOutEvenWhileRecordsArrive() throws {
        let commands = try CommandSource.commands(in: Array("{\"command_id\":\"1\"}".utf8), named: "x")
        let other = try event("{\"command_id\":\"2\",\"workflow_id\":\"2\",\"status\":\"passed\"}").record
        let limit = ContinuousClock.now + .seconds(20)
        let error = try #require(throws: CommandFailure.self) {
            var waiting = Waiting(commands)
            try waiting.run(timeout: .milliseconds(20), format: .json) { _ in
                ContinuousClock.now < limit ? TopicReader.Item.record(other) : TopicReader.Item.failed("it goes on")
            }
        }
        #expect(error.description.contains("no outcome in time of command 1"))
    }
}
