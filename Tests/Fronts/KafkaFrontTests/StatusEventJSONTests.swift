import SagamoreAPI
import SagamoreEngine
import SagamoreJSONText
import SagamoreProtobuf
import SagamoreServices
import Testing

@testable import SagamoreKafkaFront

struct StatusEventJSONTests {
    private func event(
        _ status: StatusEvent.Status,
        correlation: String = #""order_id":"222222""#,
        type: String = "TravelBooking",
        fill: (inout StatusEvent) -> Void = { _ in }
    ) -> StatusEvent {
        var event = StatusEvent(
            origin: CommandOrigin(
                commandID: "2",
                eventsTopic: "saga.events",
                correlation: Array(correlation.utf8),
                headers: [CommandOrigin.Header(name: "traceparent", value: Array("00".utf8))]
            ),
            status: status,
            sequence: 2,
            workflowID: "2_3",
            workflowType: type,
            runID: RunID("01890a5d-ac96-774b-bcce-b302099a8057"),
            at: someTime
        )
        fill(&event)
        return event
    }

    private func text(_ event: StatusEvent, limit: Int = StatusEventJSON.defaultSizeLimit) throws -> String {
        let value = try #require(StatusEventJSON(sizeLimit: limit).encode(event).value)
        try JSONScanner.validate(value, depthLimit: 1_000)
        return value.text
    }

    private func payloads(_ values: [(encoding: String, data: String)]) -> RawMessage<Payloads> {
        var message = Payloads()
        message.payloads = values.map { value in
            var payload = Payload()
            payload.metadata = ["other": [1], "encoding": Array(value.encoding.utf8)]
            payload.data = Array(value.data.utf8)
            return payload
        }
        return RawMessage(message)
    }

    private func saga(_ type: String, _ detail: String, encoding: String = "json/plain") -> Failure {
        var info = ApplicationFailureInfo()
        info.type = type
        info.details = try? payloads([(encoding, detail), ("json/plain", "2")]).decoded()
        var failure = Failure()
        failure.message = "rolled back"
        failure.failureInfo = .applicationFailureInfo(info)
        return failure
    }

    private static let head =
        #"{"command_id":"2","workflow_id":"2_3","order_id":"222222","status":"#
    private static let body =
        #","run_id":"01890a5d-ac96-774b-bcce-b302099a8057","workflow":"TravelBooking","sequence":2,"#
        + #""at":"2026-03-01T12:34:56.789Z""#

    @Test func `an event has the documented form`() throws {
        let passed = event(.passed) { $0.result = payloads([("json/plain", #"{"status": "passed"}"#)]) }
        #expect(try text(passed) == Self.head + #""passed""# + Self.body + #","result":{"status": "passed"}}"#)
        let record = StatusEventJSON().encode(passed)
        #expect(record.topic == "saga.events")
        #expect(record.key == Array("2_3".utf8))
        #expect(record.headers == passed.origin.headers.map(OutboxRecord.Header.init))
        for status in [StatusEvent.Status.accepted, .delivered] {
            #expect(try text(event(status)) == Self.head + "\"\(status.rawValue)\"" + Self.body + "}")
        }
        let rejected = StatusEvent(
            origin: CommandOrigin(commandID: "a\"b", eventsTopic: "t", correlation: []),
            status: .rejected,
            sequence: 1,
            workflowID: "w",
            workflowType: "",
            runID: nil,
            at: someTime
        )
        var refused = rejected
        refused.reasonCode = "NOT_FOUND"
        refused.reasonMessage = "no such \"thing\""
        #expect(
            try text(refused)
                == #"{"command_id":"a\"b","workflow_id":"w","status":"rejected","sequence":1,"#
                + #""at":"2026-03-01T12:34:56.789Z","reason":{"code":"NOT_FOUND","message":"no such \"thing\""}}"#
        )
    }

    @Test(
        arguments: [
            ([], "null"),
            ([("json/plain", "5")], "5"),
            ([("json/plain", " [1, 2] ")], " [1, 2] "),
            ([("json/protobuf", #"{"a":1}"#)], #"{"a":1}"#),
            ([("binary/null", "")], "null"),
            ([("json/plain", "1"), ("binary/null", ""), ("json/plain", #""x""#)], #"[1,null,"x"]"#),
            ([("binary/plain", "abcd")], #"{"encoding":"binary/plain","data":"YWJjZA=="}"#),
            ([("json/plain", "{broken")], #"{"encoding":"json/plain","data":"e2Jyb2tlbg=="}"#),
            ([("", "a")], #"{"encoding":"","data":"YQ=="}"#),
        ] as [([(String, String)], String)]
    )
    func `results are written`(_ values: [(String, String)], _ expected: String) throws {
        let passed = event(.passed) { $0.result = payloads(values.map { ($0.0, $0.1) }) }
        #expect(try text(passed).hasSuffix(#","result":\#(expected)}"#))
    }

    @Test func `a workflow without a result has a null result`() throws {
        #expect(try text(event(.passed)).hasSuffix(#","result":null}"#))
    }

    @Test func `failures are written with their causes`() throws {
        var inner = Failure()
        inner.message = "no such flight"
        var info = ApplicationFailureInfo()
        info.type = "InvalidBooking"
        inner.failureInfo = .applicationFailureInfo(info)
        var outer = Failure()
        outer.message = "activity error"
        outer.failureInfo = .activityFailureInfo(ActivityFailureInfo())
        outer.cause = inner
        let failed = event(.failed) { $0.failure = RawMessage(outer) }
        #expect(
            try text(failed).hasSuffix(
                #","failure":{"type":"ActivityFailure","message":"activity error","#
                    + #""cause":{"type":"InvalidBooking","message":"no such flight"}}}"#
            )
        )
        let kinds: [(Failure.OneOf_FailureInfo?, String)] = [
            (.applicationFailureInfo(ApplicationFailureInfo()), "ApplicationFailure"),
            (.timeoutFailureInfo(TimeoutFailureInfo()), "Timeout"),
            (.canceledFailureInfo(CanceledFailureInfo()), "Cancelled"),
            (.terminatedFailureInfo(TerminatedFailureInfo()), "Terminated"),
            (.serverFailureInfo(ServerFailureInfo()), "ServerFailure"),
            (.childWorkflowExecutionFailureInfo(ChildWorkflowExecutionFailureInfo()), "ChildWorkflowFailure"),
            (nil, "Failure"),
        ]
        for (kind, name) in kinds {
            var failure = Failure()
            failure.failureInfo = kind
            #expect(FailureJSON.type(of: failure) == name)
        }
    }

    @Test func `compensations of a saga are listed`() throws {
        let array = #"[{"step":"book_car","compensation":"undo_book_car","status":"compensated"}]"#
        for (status, type) in [
            (StatusEvent.Status.compensated, "SagaCompensated"), (.failed, "SagaCompensationFailed"),
        ] {
            let event = event(status) { $0.failure = RawMessage(saga(type, array)) }
            #expect(
                try text(event).hasSuffix(
                    #","failure":{"type":"\#(type)","message":"rolled back"},"compensations":\#(array)}"#
                )
            )
        }
        let others = [
            saga("Other", array), saga("SagaCompensated", "{}"), saga("SagaCompensated", "[1"),
            saga("SagaCompensated", array, encoding: "binary/plain"),
        ]
        for failure in others {
            let event = event(.failed) { $0.failure = RawMessage(failure) }
            #expect(try !text(event).contains("compensations"))
        }
        let cancelled = event(.cancelled) { $0.details = payloads([("json/plain", array)]) }
        #expect(
            try text(cancelled).hasSuffix(
                #","failure":{"type":"Cancelled","message":"the workflow was cancelled"},"compensations":\#(array)}"#
            )
        )
        let plain = event(.cancelled) { $0.details = payloads([("json/plain", "5")]) }
        #expect(try !text(plain).contains("compensations"))
    }

    @Test func `terminated and timed-out events are written`() throws {
        let terminated = event(.terminated) { $0.reasonMessage = "enough" }
        #expect(try text(terminated).hasSuffix(#","reason":{"code":"TERMINATED","message":"enough"}}"#))
        #expect(try text(event(.timedOut)).contains(#""status":"timed_out""#))
        #expect(try text(event(.timedOut)).contains(#""failure":{"type":"Timeout","#))
    }

    @Test func `an event that is too large is written without its result`() throws {
        let large = String(repeating: "x", count: 990_000)
        let passed = event(.passed) { $0.result = payloads([("json/plain", "\"\(large)\"")]) }
        #expect(try text(passed) == Self.head + #""passed""# + Self.body + #","result_omitted":true}"#)
        #expect(try text(passed, limit: 2_000_000).contains(large))
        // The record's size decides, not the payload's.
        let just = event(.passed) { $0.result = payloads([("json/plain", "\"\(large.prefix(979_000))\"")]) }
        #expect(try text(just).contains("xxx"))
    }

    @Test func `failures that are too large are shortened`() throws {
        let array = "[" + String(repeating: "1,", count: 1_000) + "1]"
        var failure = saga("SagaCompensationFailed", array)
        failure.message = String(repeating: "ä", count: 5_000)
        for depth in 0..<20 {
            var around = Failure()
            around.message = String(repeating: "y", count: 300) + "\(depth)"
            around.cause = failure
            around.failureInfo = failure.failureInfo
            failure = around
        }
        let event = event(.failed) { $0.failure = RawMessage(failure) }
        var sizes: [Int] = []
        for limit in [200_000, 12_000, 6_000, 3_000, 1_500] {
            let record = StatusEventJSON(sizeLimit: limit).encode(event)
            let value = try #require(record.value)
            try JSONScanner.validate(value)
            #expect(value.count <= limit)
            sizes.append(value.count)
        }
        #expect(sizes[0] > 17_000 && sizes.last.map { $0 < 1_500 } == true, "\(sizes)")
        #expect(try text(event, limit: 12_000).contains("shortened"))
        #expect(try text(event, limit: 12_000).contains("compensations"))
        #expect(try !text(event, limit: 3_000).contains("compensations"))
    }

    @Test func `the publisher removes the result of an event`() throws {
        let passed = event(.passed) { $0.result = payloads([("json/plain", #"{"a":[1]}"#)]) }
        let value = try #require(StatusEventJSON().encode(passed).value)
        let smaller = try #require(OversizeEvent.withoutResult(value))
        #expect(smaller.text == Self.head + #""passed""# + Self.body + #","result_omitted":true}"#)
        #expect(OversizeEvent.withoutResult(smaller) == nil)
        #expect(OversizeEvent.withoutResult(Array("nonsense".utf8)) == nil)
        #expect(OversizeEvent.withoutResult(Array(#"{"result":1}"#.utf8)) == nil)
    }

    @Test func `the result of an event is removed at any depth`() throws {
        let deep = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        let passed = event(.passed) { $0.result = payloads([("json/plain", deep), ("json/plain", deep)]) }
        let value = try #require(StatusEventJSON().encode(passed).value)
        #expect(value.text.contains(deep))
        let smaller = try #require(OversizeEvent.smaller(value))
        #expect(smaller.text == Self.head + #""passed""# + Self.body + #","result_omitted":true}"#)
        #expect(OversizeEvent.smaller(smaller) == nil)
    }

    @Test func `the failure of a final event is shortened`() throws {
        var failure = saga("SagaCompensationFailed", #"[{"step":"book_car"}]"#)
        failure.message = "x" + String(repeating: "ä", count: 3_000)
        var cause = Failure()
        cause.message = "no such flight"
        failure.cause = cause
        let failed = event(.failed) { $0.failure = RawMessage(failure) }
        let value = try #require(StatusEventJSON().encode(failed).value)
        let smaller = try #require(OversizeEvent.smaller(value))
        let message = "x" + String(repeating: "ä", count: 99) + "… (shortened, 6001 bytes)"
        #expect(
            smaller.text == Self.head + #""failed""# + Self.body
                + #","failure":{"type":"SagaCompensationFailed","message":"\#(message)"}}"#
        )
        #expect(OversizeEvent.smaller(smaller) == nil)
        // Other values stay unchanged and are moved to the dead events.
        let letter = #"{"status":"x","failure":{"message":"\#(String(repeating: "y", count: 500))"}}"#
        #expect(OversizeEvent.smaller(Array(letter.utf8)) == nil)
    }

    @Test func `base64 is encoded`() {
        for (text, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            #expect(Base64.encode(Array(text.utf8)) == expected)
        }
        #expect(Base64.encode([0xFB, 0xFF]) == "+/8=")
    }

    @Test func `corrupted payloads never trap`() throws {
        var random = SplitMix(state: 7)
        let good = payloads([("json/plain", #"{"a":[1,2,"x"]}"#), ("binary/plain", "abc")]).bytes
        let failure = RawMessage(saga("SagaCompensated", "[1]")).bytes
        for _ in 0..<5_000 {
            var (result, broken) = (good, failure)
            result[Int(random.next() % UInt64(result.count))] = UInt8(truncatingIfNeeded: random.next())
            broken[Int(random.next() % UInt64(broken.count))] = UInt8(truncatingIfNeeded: random.next())
            let passed = event(.passed) { $0.result = RawMessage(uncheckedBytes: result) }
            _ = try text(passed)
            let failed = event(.failed) { $0.failure = RawMessage(uncheckedBytes: broken) }
            _ = try text(failed)
        }
    }
}
