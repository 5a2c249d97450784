import SagamoreAPI
import SagamoreProtobuf
import Testing

/// Guarantees of the generated code: names, presence, merging, recursion.
@Suite struct ContractTests {
    @Test func enumNamesAreThoseOfTheSchema() {
        #expect(EventType.activityTaskScheduled.description == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED")
        #expect(EventType(protobufName: "EVENT_TYPE_TIMER_FIRED") == .timerFired)
        #expect(WorkflowExecutionStatus.running.rawValue == 1)
        #expect(HealthCheckResponse.ServingStatus.serving.description == "SERVING")
        #expect(EventType(rawValue: 4711).description == "4711")
        for (name, type) in generatedEnumTypes {
            let names = type.protobufNames
            #expect(names.entries.count > 1, "\(name)")
            for entry in names.entries { #expect(names.number(of: entry.name) == entry.number, "\(name)") }
        }
    }

    @Test func methodsHaveFullNames() {
        #expect(
            WorkflowServiceMethod.startWorkflowExecution.rawValue
                == "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution"
        )
        #expect(WorkflowServiceMethod.allCases.count > 100)
        #expect(OperatorServiceMethod.addSearchAttributes.rawValue.hasSuffix(".OperatorService/AddSearchAttributes"))
        #expect(HealthMethod.check.rawValue == "/grpc.health.v1.Health/Check")
    }

    @Test func unknownEnumNumbersSurvive() throws {
        var event = HistoryEvent()
        event.eventType = EventType(rawValue: -7)
        #expect(try HistoryEvent(serializedBytes: event.serializedBytes()).eventType.rawValue == -7)
    }

    @Test func presenceIsTold() throws {
        var request = StartWorkflowExecutionRequest()
        request.workflowType = WorkflowType()
        request.input = RawMessage()
        let read = try StartWorkflowExecutionRequest(serializedBytes: request.serializedBytes())
        #expect(read.workflowType == WorkflowType())
        #expect(read.input == RawMessage())
        #expect(read.taskQueue == nil)
        #expect(read.memo == nil)
    }

    @Test func laterOccurrencesOfAMessageMerge() throws {
        var first = StartWorkflowExecutionRequest()
        first.taskQueue = TaskQueue()
        first.taskQueue?.name = "travel-booking"
        first.input = RawMessage(Payloads(["one"]))
        var second = StartWorkflowExecutionRequest()
        second.taskQueue = TaskQueue()
        second.taskQueue?.kind = .sticky
        second.input = RawMessage(Payloads(["two"]))
        let both = first.serializedBytes() + second.serializedBytes()
        let read = try StartWorkflowExecutionRequest(serializedBytes: both)
        #expect(read.taskQueue?.name == "travel-booking")
        #expect(read.taskQueue?.kind == .sticky)
        #expect(try read.input?.decoded() == Payloads(["one", "two"]))
    }

    @Test func laterOccurrencesOfAOneofsMemberMergeAndOthersReplace() throws {
        func event(_ change: (inout TimerStartedEventAttributes) -> Void) -> [UInt8] {
            var (event, attributes) = (HistoryEvent(), TimerStartedEventAttributes())
            change(&attributes)
            event.attributes = .timerStartedEventAttributes(attributes)
            return event.serializedBytes()
        }
        let first = event { $0.timerID = "5" }
        let second = event { $0.workflowTaskCompletedEventID = 4 }
        var other = HistoryEvent()
        other.attributes = .timerFiredEventAttributes(TimerFiredEventAttributes())

        let merged = try HistoryEvent(serializedBytes: first + second)
        var expected = TimerStartedEventAttributes()
        expected.timerID = "5"
        expected.workflowTaskCompletedEventID = 4
        #expect(merged.attributes == .timerStartedEventAttributes(expected))
        let replaced = try HistoryEvent(serializedBytes: first + other.serializedBytes())
        #expect(replaced.attributes == .timerFiredEventAttributes(TimerFiredEventAttributes()))
    }

    @Test func failuresHaveCauses() throws {
        var failure = Failure()
        failure.message = "flight"
        failure.cause = Failure()
        failure.cause?.message = "no seats"
        failure.cause?.failureInfo = .canceledFailureInfo(CanceledFailureInfo())
        let read = try Failure(serializedBytes: failure.serializedBytes())
        #expect(read == failure)
        #expect(read.cause?.message == "no seats")
        #expect(read.cause?.cause == nil)
    }

    @Test func messagesAreNestedAtMostAHundredDeep() throws {
        func causes(_ count: Int) -> [UInt8] {
            var writer = ProtobufWriter()
            for _ in 0..<count { writer.lengthDelimited(4, since: 0) }
            return writer.bytes()
        }
        #expect(throws: Never.self) { try Failure(serializedBytes: causes(100)) }
        #expect(throws: Never.self) { try RawMessage<Failure>(checking: causes(100)) }
        #expect(throws: ProtobufError.depthExceeded) { try Failure(serializedBytes: causes(101)) }
        #expect(throws: ProtobufError.depthExceeded) { try RawMessage<Failure>(checking: causes(101)) }
        #expect(throws: ProtobufError.depthExceeded) { try Failure(serializedBytes: causes(100_000)) }
    }

    @Test func rawFieldsAreCheckedWhereTheyEnter() throws {
        var request = SignalWorkflowExecutionRequest()
        request.input = RawMessage(uncheckedBytes: [0x0A, 0x05, 0x01])
        let bytes = request.serializedBytes()
        #expect(throws: ProtobufError.truncated) { try SignalWorkflowExecutionRequest(serializedBytes: bytes) }
    }

    @Test func mapsAreWrittenInTheOrderOfTheirKeys() throws {
        var payload = Payload()
        for key in ["c", "a", "b"] { payload.metadata[key] = Array(key.utf8) }
        #expect(
            payload.serializedBytes() == [
                0x0A, 6, 0x0A, 1, 0x61, 0x12, 1, 0x61, 0x0A, 6, 0x0A, 1, 0x62, 0x12, 1, 0x62, 0x0A, 6, 0x0A, 1, 0x63,
                0x12, 1,
                0x63,
            ]
        )
    }

    /// `String` takes such keys for equal, which would lose one of two entries on the way through the server.
    @Test func mapsKeepKeysThatAreOnlyCanonicallyEquivalent() throws {
        let details = try ["caf\u{E9}", "cafe\u{301}"].map { key in
            var attributes = RecordMarkerCommandAttributes()
            attributes.details[key] = RawMessage(Payloads([key]))
            return try RecordMarkerCommandAttributes(serializedBytes: attributes.serializedBytes())
        }
        let both = details.flatMap { $0.serializedBytes() }
        let read = try RecordMarkerCommandAttributes(serializedBytes: both)
        #expect(read.details.count == 2)
        let again = try RecordMarkerCommandAttributes(serializedBytes: read.serializedBytes())
        for one in details {
            for (key, value) in one.details { #expect(again.details[key] == value) }
        }
    }

    @Test func listsOfNumbersAreReadPackedAndUnpackedAndWrittenPacked() throws {
        let mixed: [UInt8] = [0x08, 1, 0x0A, 2, 2, 3, 0x08, 4]
        let metadata = try WorkflowTaskCompletedMetadata(serializedBytes: mixed)
        #expect(metadata.coreUsedFlags == [1, 2, 3, 4])
        #expect(metadata.serializedBytes() == [0x0A, 4, 1, 2, 3, 4])
    }

    @Test func errorDetailsTravelInAStatus() throws {
        var detail = WorkflowExecutionAlreadyStartedFailure()
        detail.runID = "run"
        var status = RPCStatus()
        status.code = 6
        status.details = [ProtobufAny(packing: detail)]
        let read = try RPCStatus(serializedBytes: status.serializedBytes())
        #expect(try read.details[0].unpacked(as: WorkflowExecutionAlreadyStartedFailure.self) == detail)
        #expect(
            read.details[0].typeURL.hasSuffix("/temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure")
        )
    }
}

extension Payloads {
    fileprivate init(_ texts: [String]) {
        self.init()
        self.payloads = texts.map { text in
            var payload = Payload()
            payload.data = Array(text.utf8)
            return payload
        }
    }
}
