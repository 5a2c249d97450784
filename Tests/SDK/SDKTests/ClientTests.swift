import SagamoreAPI
import SagamoreGRPC
import SagamoreProtobuf
import Synchronization
import Testing

@testable import Sagamore

@Suite(.serialized, .timeLimit(.minutes(2)))
struct ClientTests {
    private static let type: TestType<String, Int> = testType("Travel")
    private typealias Answers = [WorkflowServiceMethod: FakeService.Answer]

    private func withClient(
        _ answers: Answers,
        _ body: (Client, FakeService) async throws -> Void
    ) async throws {
        let service = try FakeService(answers)
        let result: Result<Void, any Error>
        do {
            result = .success(try await service.withClient { try await body($0, service) })
        } catch {
            result = .failure(error)
        }
        await service.stop()
        try result.get()
    }

    @Test func connectingToNobodyFails() async throws {
        let service = try FakeService([:])
        await service.stop()
        let error = await #expect(throws: ClientError.self) {
            _ = try await Client.connect(ClientOptions(address: "127.0.0.1:\(service.port)"))
        }
        #expect(error?.code == .unavailable)
    }

    @Test func aServerWithoutSystemInfoWillDo() async throws {
        // The fake service implements no method.
        try await withClient([:]) { client, _ in #expect(client.options.namespace == "travel") }
    }

    @Test func aStartSaysAllThatItWasTold() async throws {
        var response = StartWorkflowExecutionResponse()
        response.runID = "run-9"
        try await withClient([.startWorkflowExecution: answer(response)]) { client, service in
            var options = WorkflowOptions(id: "order-1")
            options.conflictPolicy = .useExisting
            options.reusePolicy = .rejectDuplicate
            options.runTimeout = .milliseconds(2500)
            let handle = try await client.start(Self.type, "trip", options)
            #expect(handle.id == "order-1" && handle.runID == "run-9")
            let requests = try service.requests(.startWorkflowExecution, StartWorkflowExecutionRequest.self)
            let request = try #require(requests.first)
            #expect(request.namespace == "travel" && request.identity == "tester" && request.workflowID == "order-1")
            #expect(request.workflowType?.name == "Travel" && request.taskQueue?.name == "test")
            #expect(request.workflowIDConflictPolicy == .useExisting)
            #expect(request.workflowIDReusePolicy == .rejectDuplicate)
            #expect(request.workflowRunTimeout == ProtobufDuration(seconds: 2, nanos: 500_000_000))
            #expect(request.requestID.count == 36)
            #expect(try PayloadCoding.first(request.input, as: String.self) == "trip")
        }
    }

    @Test func aRefusedStartIsTyped() async throws {
        let refuse: FakeService.Answer = { _ in .failure(GRPCStatus(.alreadyExists, "it runs")) }
        try await withClient([.startWorkflowExecution: refuse]) { client, _ in
            let error = await #expect(throws: ClientError.self) {
                _ = try await client.start(Self.type, "trip", WorkflowOptions(id: "order-1"))
            }
            #expect(error?.code == .alreadyStarted)
            #expect(error?.message == "it runs")
        }
    }

    @Test func aResultIsWaitedForFromPageToPage() async throws {
        var completed = WorkflowExecutionCompletedEventAttributes()
        completed.result = try PayloadCoding.list(42)
        let pages = [page(token: [1]), page(.workflowExecutionCompletedEventAttributes(completed))]
        let next = Mutex(0)
        let answers: Answers = [
            .getWorkflowExecutionHistory: { _ in
                .success(
                    pages[
                        next.withLock {
                            $0 += 1
                            return $0 - 1
                        }
                    ].serializedBytes()
                )
            }
        ]
        try await withClient(answers) { client, service in
            #expect(try await client.handle(Self.type, id: "order-1").result() == 42)
            let asked = try service.requests(.getWorkflowExecutionHistory, GetWorkflowExecutionHistoryRequest.self)
            #expect(asked.map(\.nextPageToken) == [[], [1]])
            #expect(asked.allSatisfy { $0.waitNewEvent && $0.historyEventFilterType == .closeEvent })
        }
    }

    @Test func aFailedSagaTellsWhatWasUndone() async throws {
        let compensation = SagaCompensation(step: "a", compensation: "undo_a", status: .compensated, failure: nil)
        var failed = WorkflowExecutionFailedEventAttributes()
        failed.failure = RawMessage(
            FailureCoding.failure(SagaCompensatedError(reason: "full", compensations: [compensation], cause: nil))
        )
        let history = page(.workflowExecutionFailedEventAttributes(failed))
        try await withClient([.getWorkflowExecutionHistory: answer(history)]) { client, _ in
            let error = await #expect(throws: WorkflowFailedError.self) {
                _ = try await client.handle(Self.type, id: "order-1").result()
            }
            #expect(error?.way == .failed)
            #expect((error?.cause as? SagaCompensatedError)?.compensations == [compensation])
        }
    }

    @Test func aTerminatedWorkflowSaysWhy() async throws {
        var terminated = WorkflowExecutionTerminatedEventAttributes()
        terminated.reason = "enough"
        let history = page(.workflowExecutionTerminatedEventAttributes(terminated))
        try await withClient([.getWorkflowExecutionHistory: answer(history)]) { client, _ in
            let error = await #expect(throws: WorkflowFailedError.self) {
                _ = try await client.handle(Self.type, id: "order-1").result()
            }
            #expect(error?.way == .terminated)
            #expect(error?.message == "the workflow was terminated: enough")
        }
    }

    @Test func signalsQueriesAndEndingsNameTheWorkflow() async throws {
        var answered = QueryWorkflowResponse()
        answered.queryResult = try PayloadCoding.list(["car"])
        let answers: Answers = [
            .signalWorkflowExecution: answer(SignalWorkflowExecutionResponse()),
            .queryWorkflow: answer(answered),
            .requestCancelWorkflowExecution: answer(RequestCancelWorkflowExecutionResponse()),
            .terminateWorkflowExecution: answer(TerminateWorkflowExecutionResponse()),
        ]
        try await withClient(answers) { client, service in
            let handle = client.handle(Self.type, id: "order-1", runID: "run-1")
            try await handle.signal(Waiting.add, "name")
            #expect(try await handle.query(Waiting.names) == ["car"])
            try await handle.cancel(reason: "later")
            try await handle.terminate(reason: "enough")
            let signal = try service.requests(.signalWorkflowExecution, SignalWorkflowExecutionRequest.self)[0]
            #expect(signal.signalName == "add" && signal.workflowExecution?.workflowID == "order-1")
            #expect(try PayloadCoding.first(signal.input, as: String.self) == "name")
            let query = try service.requests(.queryWorkflow, QueryWorkflowRequest.self)[0]
            #expect(query.query?.queryType == "names" && query.execution?.runID == "run-1")
            let cancel = try service.requests(
                .requestCancelWorkflowExecution,
                RequestCancelWorkflowExecutionRequest.self
            )[0]
            #expect(cancel.reason == "later" && !cancel.requestID.isEmpty)
            let terminate = try service.requests(
                .terminateWorkflowExecution,
                TerminateWorkflowExecutionRequest.self
            )[0]
            #expect(terminate.reason == "enough" && terminate.workflowExecution?.runID == "run-1")
        }
    }

    @Test func aQueryThatFailedIsTyped() async throws {
        let refuse: FakeService.Answer = { _ in .failure(GRPCStatus(.invalidArgument, "no handler")) }
        try await withClient([.queryWorkflow: refuse]) { client, _ in
            let error = await #expect(throws: ClientError.self) {
                _ = try await client.handle(Self.type, id: "order-1").query(Waiting.names)
            }
            #expect(error?.code == .queryFailed)
        }
    }

    @Test func aDescriptionTellsStateAndOpenActivities() async throws {
        var info = WorkflowExecutionInfo()
        info.execution = WorkflowExecution(workflowID: "order-1", runID: "run-1")
        info.status = .canceled
        info.historyLength = 7
        var pending = PendingActivityInfo()
        pending.activityType = ActivityType(name: "book_car")
        var response = DescribeWorkflowExecutionResponse()
        response.workflowExecutionInfo = info
        response.pendingActivities = [pending]
        try await withClient([.describeWorkflowExecution: answer(response)]) { client, _ in
            let description = try await client.handle(Self.type, id: "order-1").describe()
            #expect(description.status == .canceled && description.historyLength == 7)
            #expect(description.runID == "run-1" && description.pendingActivities == ["book_car"])
        }
    }

    private func page(
        _ attributes: HistoryEvent.OneOf_Attributes? = nil,
        token: [UInt8] = []
    ) -> GetWorkflowExecutionHistoryResponse {
        var response = GetWorkflowExecutionHistoryResponse()
        response.nextPageToken = token
        var history = History()
        if let attributes {
            var event = HistoryEvent()
            event.attributes = attributes
            history.events = [event]
        }
        response.history = history
        return response
    }
}
