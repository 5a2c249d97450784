import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

@Suite struct CodingTests {
    private static let facts: [Fact] = [
        .commandAccepted(Samples.origin("2")),
        .commandAccepted(CommandOrigin(commandID: "ü☃", eventsTopic: "", correlation: [])),
        .activityReturned(scheduledEventID: 5, attempt: 3, at: Samples.noon),
        .eventBuffered(HistoryEvent()),
        .workflowTaskRetried(attempt: 7, at: Samples.noon),
        .requestSeen("r"),
    ]

    @Test(arguments: facts) func factsSurviveTheirBytes(fact: Fact) throws {
        let decoded = try FactCoding.decode(FactCoding.frame(RecordedFact(fact, afterEventID: 42)))
        #expect(decoded.map(\.fact) == [fact])
        #expect(decoded.map(\.afterEventID) == [42])
    }

    @Test func bytesOfFactsCanBePutTogether() throws {
        let bytes = Self.facts.flatMap { FactCoding.frame(RecordedFact($0, afterEventID: 1)) }
        #expect(try FactCoding.decode(bytes).map(\.fact) == Self.facts)
    }

    @Test func unknownFactsAreAnError() {
        // Field 1, a message that holds only field 99.
        #expect(throws: ProtobufError.self) { try FactCoding.decode([0x0A, 0x04, 0x9A, 0x06, 0x01, 0x00]) }
        #expect(throws: ProtobufError.self) { try FactCoding.decode([0x0A, 0x00]) }
    }

    @Test func everyTruncationIsAnError() throws {
        let bytes = FactCoding.frame(RecordedFact(.commandAccepted(Samples.origin("2")), afterEventID: 1))
        for count in 1..<bytes.count {
            #expect(throws: ProtobufError.self) { try FactCoding.decode(Array(bytes.prefix(count))) }
        }
    }

    @Test func framesAreAnEncodedHistory() throws {
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

    @Test func factsKeepTheirPlaceAmongTheEvents() throws {
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
    @Test func runIDsReadWhatTheyWrite() throws {
        let id = RunID(at: Samples.noon, random: (.max, .max))
        let text = id.description
        #expect(text.count == 36)
        #expect(RunID(text) == id)
        #expect(RunID(text.uppercased()) == id)
        // Version 7, variant 2.
        #expect(Array(text)[14] == "7")
        #expect(Array(text)[19] == "b")
    }

    @Test func runIDsAreInOrderOfTime() {
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

    @Test func instantsReadWhatTheyWriteAndSaturate() {
        for nanoseconds in [0, 1, -1, 1_749_988_800_123_456_789, -1_000_000_001, .max, .min] as [Int64] {
            let instant = Instant(nanoseconds: nanoseconds)
            #expect(Instant(instant.timestamp) == instant)
            #expect((0..<1_000_000_000).contains(instant.timestamp.nanos))
        }
        #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
        #expect(Instant.distantPast - .distantFuture == Interval(nanoseconds: .min))
        #expect(Instant(ProtobufTimestamp(seconds: .max, nanos: 0)) == .distantFuture)
    }

    @Test func intervalsThatAreNotSetBecomeTheirLimit() {
        #expect(Interval.zero.capped(by: .seconds(5)) == .seconds(5))
        #expect(Interval.seconds(9).capped(by: .seconds(5)) == .seconds(5))
        #expect(Interval.seconds(3).capped(by: .seconds(5)) == .seconds(3))
        #expect(Interval.seconds(3).capped(by: .zero) == .seconds(3))
        #expect(Interval(ProtobufDuration(seconds: -5, nanos: 0)) == .zero)
        #expect(Interval(ProtobufDuration(seconds: .max, nanos: 0)) == Interval(nanoseconds: .max))
        #expect(Interval(nil) == .zero)
    }
}
