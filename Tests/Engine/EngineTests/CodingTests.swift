import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

@Suite struct CodingTests {
    private static let facts: [Fact] = [
        .commandAccepted(Samples.origin("2")),
        .commandAccepted(CommandOrigin(commandID: "ü☃", eventsTopic: "", correlation: [])),
        .commandInherited(Samples.origin("2"), publishedStatusEvents: 3),
        .activityReturned(scheduledEventID: 5, attempt: 3, at: Samples.noon),
        .eventBuffered(HistoryEvent()),
        .workflowTaskRetried(attempt: 7, at: Samples.noon),
        .requestSeen("r"),
        .activityPaused(scheduledEventID: 5, ActivityPause(at: Samples.noon, identity: "o", reason: "why")),
        .activityUnpaused(
            Fact.ActivityUnpause(scheduledEventID: 5, dueAt: nil, resetsAttempts: true, resetsHeartbeat: false)
        ),
        .activityUnpaused(
            Fact.ActivityUnpause(scheduledEventID: 5, dueAt: Samples.noon, resetsAttempts: false, resetsHeartbeat: true)
        ),
        .activityReset(
            Fact.ActivityReset(scheduledEventID: 5, dueAt: Samples.noon, unpauses: true, resetsHeartbeat: false)
        ),
        .activityReset(Fact.ActivityReset(scheduledEventID: 5, dueAt: nil, unpauses: false, resetsHeartbeat: true)),
        .activityOptionsChanged(
            Fact.ActivityOptionsChange(scheduledEventID: 5, options: options, dueAt: Samples.noon)
        ),
        .debtSettled(eventID: 6),
    ]

    private static let options: ActivitySettings = {
        var options = ActivityOptions()
        options.taskQueue = Samples.queue("other")
        options.scheduleToCloseTimeout = Interval.seconds(90).duration
        options.scheduleToStartTimeout = Interval.seconds(80).duration
        options.startToCloseTimeout = Interval.seconds(70).duration
        options.heartbeatTimeout = Interval.seconds(60).duration
        options.retryPolicy = .with { $0.nonRetryableErrorTypes = ["fatal"] }
        options.priority = Priority()
        options.priority?.fairnessKey = "key"
        return ActivitySettings(options)
    }()

    @Test(arguments: facts) func factsSurviveEncodingAndDecoding(fact: Fact) throws {
        let decoded = try FactCoding.decode(RecordedFact(fact, afterEventID: 42).frame)
        #expect(decoded.map(\.fact) == [fact])
        #expect(decoded.map(\.afterEventID) == [42])
    }

    @Test func encodedFactsCanBeConcatenated() throws {
        let bytes = Self.facts.flatMap { RecordedFact($0, afterEventID: 1).frame }
        #expect(try FactCoding.decode(bytes).map(\.fact) == Self.facts)
    }

    @Test func unknownFactsAreAnError() {
        // Field 1 holds a message whose only field is 99.
        #expect(throws: ProtobufError.self) { try FactCoding.decode([0x0A, 0x04, 0x9A, 0x06, 0x01, 0x00]) }
        #expect(throws: ProtobufError.self) { try FactCoding.decode([0x0A, 0x00]) }
    }

    @Test func everyTruncationIsAnError() throws {
        let bytes = RecordedFact(.commandAccepted(Samples.origin("2")), afterEventID: 1).frame
        for count in 1..<bytes.count {
            #expect(throws: ProtobufError.self) { try FactCoding.decode(Array(bytes.prefix(count))) }
        }
    }

    /// If it were decoded as strictly as a request, a journal with such a failure would be unreadable.
    @Test func failureAsDeepAsARequestAllowsIsDecoded() throws {
        func request(levels: Int) -> RespondActivityTaskFailedRequest {
            var failure = Failure()
            for _ in 1..<levels {
                var outer = Failure()
                outer.cause = failure
                failure = outer
            }
            var request = RespondActivityTaskFailedRequest()
            request.failure = RawMessage(failure)
            return request
        }
        let deepest = request(levels: ProtobufReader.maximumDepth).serializedBytes()
        let received = try RespondActivityTaskFailedRequest(serializedBytes: deepest)
        let tooDeep = request(levels: ProtobufReader.maximumDepth + 1).serializedBytes()
        #expect(throws: ProtobufError.depthExceeded) {
            try RespondActivityTaskFailedRequest(serializedBytes: tooDeep)
        }
        // The failure is nested deepest as the cause of a buffered event.
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a") { $0.retryPolicy = .with { $0.maximumAttempts = 2 } })
        try stage.pollActivity(5)
        let retry = try stage.failActivity(5, received.failure)
        stage.passAndDecide(.seconds(1))
        try stage.pollActivity(5, attempt: 2)
        try stage.signal("go")
        try stage.pollWorkflowTask()
        let buffered = stage.passAndDecide(.seconds(5))
        let written = try stage.complete()
        #expect(buffered.flatMap(\.outline).last == "fact eventBuffered ActivityTaskTimedOut")
        #expect(written.eventOutline.contains { $0.hasSuffix("ActivityTaskTimedOut") })
        for decision in [retry] + buffered + [written] {
            let row = try #require(JournalRow(decision))
            let durable = decision.entries.filter(\.isDurable)
            #expect(try row.entries().map(\.outline) == durable.map(\.outline))
        }
    }

    @Test func concatenatedFramesAreAnEncodedHistory() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a"), Samples.complete())
        let frames = stage.entries.flatMap { entry -> [UInt8] in
            if case .event(let recorded) = entry { recorded.frame } else { [] }
        }
        #expect(try History(serializedBytes: frames).events == stage.history)
        #expect(try HistoryFrames.ends(frames).count == stage.history.count)
        #expect(try HistoryFrames.decode(frames).map(\.event) == stage.history)
        #expect(try HistoryFrames.decode(frames).flatMap(\.frame) == frames)
        #expect(stage.execution.durable.historyBytes == Int64(frames.count))
    }

    @Test func factsKeepTheirPositionAmongTheEvents() throws {
        let stage = Stage()
        let start = try stage.start(origin: Samples.origin("2"))
        try stage.pollWorkflowTask()
        try stage.signal("s", requestID: "r")
        let rows = try #require(JournalRow(start))
        #expect(try rows.entries().map(\.outline) == start.entries.map(\.outline))
        var whole = JournalRow()
        for entry in stage.entries {
            var decision = Decision()
            decision.entries = [entry]
            if let row = JournalRow(decision) { whole.append(row) }
        }
        #expect(try whole.entries().map(\.outline) == stage.entries.map(\.outline))
    }
}

@Suite struct VocabularyTests {
    /// `String` treats canonically equivalent ids as equal; the database does not.
    @Test func workflowIDsAreComparedByBytes() {
        let keys = ["caf\u{E9}", "cafe\u{301}"].map { WorkflowKey(namespace: 1, workflowID: $0) }
        #expect(Set(keys + keys).count == 2)
        #expect(keys[0] == WorkflowKey(namespace: 1, workflowID: "caf\u{E9}"))
        #expect(keys[0] != WorkflowKey(namespace: 2, workflowID: "caf\u{E9}"))
    }

    @Test func runIDsSurviveEncodingAndParsing() throws {
        let id = RunID(at: Samples.noon, random: (.max, .max))
        let text = id.description
        #expect(text.count == 36)
        #expect(RunID(text) == id)
        #expect(RunID(text.uppercased()) == id)
        let digits = RunID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
        #expect(digits.description == "01234567-89ab-cdef-fedc-ba9876543210")
        #expect(Array(text)[14] == "7")
        #expect(Array(text)[19] == "b")
    }

    @Test func runIDsSortByTime() {
        let early = RunID(at: Samples.noon, random: (.max, .max))
        let late = RunID(at: Samples.noon + .milliseconds(1), random: (0, 0))
        #expect(early < late)
        #expect(early.description < late.description)
    }

    @Test(arguments: [
        "", "x", "0190a000-0000-7000-8000-00000000000", "0190a000-0000-7000-8000-0000000000000",
        "0190a000+0000-7000-8000-000000000000", "g190a000-0000-7000-8000-000000000000",
    ])
    func malformedRunIDsAreRefused(text: String) {
        #expect(RunID(text) == nil)
    }

    @Test func instantsSurviveConversionAndSaturate() {
        for nanoseconds in [0, 1, -1, 1_749_988_800_123_456_789, -1_000_000_001, .max, .min] as [Int64] {
            let instant = Instant(nanoseconds: nanoseconds)
            #expect(Instant(instant.timestamp) == instant)
            #expect((0..<1_000_000_000).contains(instant.timestamp.nanos))
        }
        #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
        #expect(Instant.distantPast - .distantFuture == Interval(nanoseconds: .min))
        #expect(Instant(ProtobufTimestamp(seconds: .max, nanos: 0)) == .distantFuture)
    }

    @Test func unsetIntervalsBecomeTheirLimit() {
        #expect(Interval.zero.capped(by: .seconds(5)) == .seconds(5))
        #expect(Interval.seconds(9).capped(by: .seconds(5)) == .seconds(5))
        #expect(Interval.seconds(3).capped(by: .seconds(5)) == .seconds(3))
        #expect(Interval.seconds(3).capped(by: .zero) == .seconds(3))
        #expect(Interval(ProtobufDuration(seconds: -5, nanos: 0)) == .zero)
        #expect(Interval(ProtobufDuration(seconds: .max, nanos: 0)) == Interval(nanoseconds: .max))
        #expect(Interval(nil) == .zero)
    }
}
