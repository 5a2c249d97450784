import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreGRPCFront
import SagamoreProtobuf
import SagamoreServices
import Synchronization
import Testing

extension FrontTests {
    /// What clients do to workflows, and what History hears of it.
    @Suite struct WorkflowTests {
        private let runID = SampleRun.runID

        @Test func startTellsTheRun() async throws {
            let history = FakeHistory { [runID] in
                $0.start = { start, namespace, reply in
                    #expect(namespace == 1)
                    #expect(start.request == Refused.start())
                    #expect(start.origin == nil)
                    reply.succeed(StartedRun(runID: runID, isNew: true, status: .running))
                }
            }
            try await withFront(history: history) { client in
                let response: StartWorkflowExecutionResponse = try await client.call(
                    .startWorkflowExecution,
                    Refused.start()
                )
                #expect(response.runID == runID.description)
                #expect(response.firstExecutionRunID == runID.description)
                #expect(response.started)
                #expect(response.status == .running)
                #expect(response.eagerWorkflowTask == nil)
                guard case .workflowEvent(let event)? = response.link?.variant else {
                    Issue.record("no link")
                    return
                }
                #expect(event.namespace == "default")
                #expect(event.workflowID == "booking")
                #expect(event.runID == runID.description)
            }
        }

        @Test func startOfARunningWorkflowNamesTheRun() async throws {
            let history = FakeHistory { [runID] in
                $0.start = { _, _, reply in
                    let detail = RequestError.Detail.workflowAlreadyStarted(runID: runID, startRequestID: "earlier")
                    reply.fail(RequestError(.alreadyExists, "Workflow execution is already running.", detail: detail))
                }
            }
            try await withFront(history: history) { client in
                let status = try #require(
                    await client.refusal(.startWorkflowExecution, Refused.start().serializedBytes())
                )
                #expect(status.code == .alreadyExists)
                #expect(status.message == "Workflow execution is already running.")
                let failure = try #require(try status.detail(WorkflowExecutionAlreadyStartedFailure.self))
                #expect(failure.startRequestID == "earlier")
                #expect(failure.runID == runID.description)
            }
        }

        @Test func startThatUsesTheExistingRun() async throws {
            let history = FakeHistory { [runID] in
                $0.start = { _, _, reply in
                    reply.succeed(StartedRun(runID: runID, isNew: false, status: .completed))
                }
            }
            try await withFront(history: history) { client in
                let response: StartWorkflowExecutionResponse = try await client.call(
                    .startWorkflowExecution,
                    Refused.start { $0.requestEagerExecution = true }
                )
                #expect(!response.started)
                #expect(response.status == .completed)
                #expect(response.eagerWorkflowTask == nil)
            }
        }

        @Test func signal() async throws {
            let history = FakeHistory { [runID] in
                $0.signal = { workflow, signal, reply in
                    #expect(workflow == WorkflowReference(key: SampleRun.key, runID: runID))
                    #expect(signal.name == "cancel_booking")
                    #expect(signal.input == payloads("why"))
                    #expect(signal.identity == "me")
                    #expect(signal.requestID == "signal")
                    reply.succeed(runID)
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.signal
                request.workflowExecution = Refused.execution("booking", runID.description.uppercased())
                request.input = payloads("why")
                let response: SignalWorkflowExecutionResponse = try await client.call(.signalWorkflowExecution, request)
                guard case .workflowEvent(let event)? = response.link?.variant,
                    case .requestIDRef(let reference)? = event.reference
                else {
                    Issue.record("no link")
                    return
                }
                #expect(event.namespace == "default")
                #expect(event.workflowID == "booking")
                #expect(event.runID == runID.description)
                #expect(reference.requestID == "signal")
                #expect(reference.eventType == .workflowExecutionSignaled)
            }
        }

        @Test func startWithoutARequestIDGetsOne() async throws {
            let ids = Mutex<[String]>([])
            let history = FakeHistory { [runID] in
                $0.start = { start, _, reply in
                    ids.withLock { $0.append(start.request.requestID) }
                    reply.succeed(StartedRun(runID: runID, isNew: true, status: .running))
                }
            }
            try await withFront(history: history) { client in
                for _ in 0..<2 {
                    let _: StartWorkflowExecutionResponse = try await client.call(
                        .startWorkflowExecution,
                        Refused.start { $0.requestID = "" }
                    )
                }
            }
            let given = ids.withLock { $0 }
            #expect(given.count == 2)
            #expect(given.allSatisfy { RunID($0) != nil })
            #expect(Set(given).count == 2)
        }

        @Test func signalOfAClosedWorkflow() async throws {
            let history = FakeHistory { $0.signal = { _, _, reply in reply.fail(.workflowClosed) } }
            try await withFront(history: history) { client in
                let status = try #require(
                    await client.refusal(.signalWorkflowExecution, Refused.signal.serializedBytes())
                )
                #expect(status.code == .notFound)
                #expect(status.message == "workflow execution already completed")
                #expect(try status.detailNames == ["temporal.api.errordetails.v1.NotFoundFailure"])
            }
        }

        @Test func cancelOfTheFirstRun() async throws {
            let history = FakeHistory { [runID] in
                $0.cancel = { workflow, cancel, reply in
                    #expect(
                        workflow == WorkflowReference(key: SampleRun.key, runID: nil, firstRunID: runID.description)
                    )
                    #expect(cancel.reason == "changed my mind")
                    #expect(cancel.identity == "me")
                    #expect(cancel.requestID == "c")
                    reply.succeed()
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.cancel
                request.firstExecutionRunID = runID.description
                request.reason = "changed my mind"
                request.identity = "me"
                request.requestID = "c"
                let _: RequestCancelWorkflowExecutionResponse = try await client.call(
                    .requestCancelWorkflowExecution,
                    request
                )
            }
        }

        @Test(arguments: [
            (given: (reason: "", identity: ""), recorded: ("terminated by user via frontend", "frontend-service")),
            (given: (reason: "no longer wanted", identity: "me"), recorded: ("no longer wanted", "me")),
        ])
        func terminate(
            _ given: (reason: String, identity: String),
            _ recorded: (reason: String, identity: String)
        ) async throws {
            let history = FakeHistory {
                $0.terminate = { workflow, terminate, reply in
                    #expect(workflow == WorkflowReference(key: SampleRun.key, runID: nil))
                    #expect(terminate.reason == recorded.reason)
                    #expect(terminate.identity == recorded.identity)
                    #expect(terminate.details == payloads("d"))
                    reply.succeed()
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.terminate
                request.reason = given.reason
                request.identity = given.identity
                request.details = payloads("d")
                let _: TerminateWorkflowExecutionResponse = try await client.call(.terminateWorkflowExecution, request)
            }
        }

        @Test func droppedRequestIsUnavailable() async throws {
            let history = FakeHistory { $0.signal = { _, _, _ in } }
            try await withFront(history: history) { client in
                let status = await client.refusal(.signalWorkflowExecution, Refused.signal.serializedBytes())
                #expect(status?.code == .unavailable)
            }
        }
    }

    @Suite struct QueryTests {
        @Test func answered() async throws {
            let history = FakeHistory {
                $0.query = { workflow, query, rejecting, deadline, reply in
                    #expect(workflow.key == SampleRun.key)
                    #expect(query.queryType == "status")
                    #expect(rejecting == .notOpen)
                    let waiting = deadline - now
                    #expect(waiting > .seconds(6) && waiting < .milliseconds(8_500))
                    reply.succeed(.answered(payloads("booked")))
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.query
                request.queryRejectCondition = .notOpen
                let response: QueryWorkflowResponse = try await client.call(
                    .queryWorkflow,
                    request,
                    deadline: .seconds(8)
                )
                #expect(response.queryResult == payloads("booked"))
                #expect(response.queryRejected == nil)
            }
        }

        @Test func rejected() async throws {
            let history = FakeHistory { $0.query = { $4.succeed(.rejected(.terminated)) } }
            try await withFront(history: history) { client in
                let response: QueryWorkflowResponse = try await client.call(.queryWorkflow, Refused.query)
                #expect(response.queryRejected?.status == .terminated)
                #expect(response.queryResult == nil)
            }
        }

        @Test func failed() async throws {
            let history = FakeHistory {
                $0.query = { _, _, _, _, reply in
                    reply.fail(RequestError(.invalidArgument, "unknown query", detail: .queryFailed(nil)))
                }
            }
            try await withFront(history: history) { client in
                let status = try #require(await client.refusal(.queryWorkflow, Refused.query.serializedBytes()))
                #expect(status.code == .invalidArgument)
                #expect(status.message == "unknown query")
                #expect(try status.detailNames == ["temporal.api.errordetails.v1.QueryFailedFailure"])
            }
        }

        @Test func answersOfWorkers() async throws {
            var failure = Failure()
            failure.message = "broken"
            let answers = Mutex<[QueryAnswer]>([])
            let history = FakeHistory { handlers in
                handlers.answerQuery = { token, answer, reply in
                    #expect(token == TaskToken.QueryToken(key: SampleRun.key, runID: SampleRun.runID, queryID: 5))
                    answers.withLock { $0.append(answer) }
                    reply.succeed()
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.answer
                request.queryResult = payloads("yes")
                let _: RespondQueryTaskCompletedResponse = try await client.call(.respondQueryTaskCompleted, request)
                request.queryResult = tooLarge
                let _: RespondQueryTaskCompletedResponse = try await client.call(.respondQueryTaskCompleted, request)
                request = Refused.answer
                request.completedType = .failed
                request.errorMessage = "no"
                request.failure = RawMessage(failure)
                let _: RespondQueryTaskCompletedResponse = try await client.call(.respondQueryTaskCompleted, request)
            }
            let seen = answers.withLock { $0 }
            try #require(seen.count == 3)
            guard case .answered(let result) = seen[0], result == payloads("yes") else {
                Issue.record("first")
                return
            }
            guard case .failed("Blob data size exceeds limit.", nil) = seen[1] else {
                Issue.record("second")
                return
            }
            guard case .failed("no", let cause?) = seen[2] else {
                Issue.record("third")
                return
            }
            #expect(try cause.decoded() == failure)
        }
    }

    @Suite struct HistoryTests {
        @Test func framesGoOutAsTheyAre() async throws {
            let run = try SampleRun()
            let frames = run.events.flatMap(\.frame)
            let reads = Mutex<[HistoryRead]>([])
            let history = FakeHistory { handlers in
                handlers.readHistory = { workflow, read, reply in
                    #expect(workflow == WorkflowReference(key: SampleRun.key, runID: nil))
                    reads.withLock { $0.append(read) }
                    reply.succeed(HistoryPage(frames: frames, nextPageToken: [9, 9]))
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.readHistory
                request.nextPageToken = [1]
                request.maximumPageSize = 3
                let response: GetWorkflowExecutionHistoryResponse = try await client.call(
                    .getWorkflowExecutionHistory,
                    request
                )
                #expect(response.history?.events == run.events.map(\.event))
                #expect(response.nextPageToken == [9, 9])
                request.maximumPageSize = -1
                request.waitNewEvent = true
                request.historyEventFilterType = .closeEvent
                for deadline in [5, 70] as [Int64] {
                    let _: GetWorkflowExecutionHistoryResponse = try await client.call(
                        .getWorkflowExecutionHistory,
                        request,
                        deadline: .seconds(deadline)
                    )
                }
                let _: GetWorkflowExecutionHistoryResponse = try await client.call(
                    .getWorkflowExecutionHistory,
                    request,
                    deadline: nil
                )
            }
            let seen = reads.withLock { $0 }
            try #require(seen.count == 4)
            #expect(seen[0].pageToken == [1])
            #expect(seen.map(\.pageSize) == [3, 256, 256, 256])
            #expect(seen.map(\.waitsForNews) == [false, true, true, true])
            #expect(seen.map(\.onlyCloseEvent) == [false, true, true, true])
            // Short of the client's own deadline (which travels rounded up), and never more than 20 s.
            #expect(seen[1].deadline > now + .seconds(2) && seen[1].deadline < now + .milliseconds(4_500))
            #expect(seen[2].deadline == now + .seconds(20))
            #expect(seen[3].deadline == now + .seconds(20))
        }

        /// Clients read `history.events` without looking whether there is a history.
        @Test func emptyHistoryIsThereAllTheSame() async throws {
            let history = FakeHistory {
                $0.readHistory = { _, _, reply in reply.succeed(HistoryPage(frames: [], nextPageToken: [7])) }
            }
            try await withFront(history: history) { client in
                let response: GetWorkflowExecutionHistoryResponse = try await client.call(
                    .getWorkflowExecutionHistory,
                    Refused.readHistory
                )
                #expect(response.history == History())
                #expect(response.nextPageToken == [7])
            }
        }

        @Test func description() async throws {
            var answer = DescribeWorkflowExecutionResponse()
            answer.workflowExecutionInfo = WorkflowExecutionInfo()
            answer.workflowExecutionInfo?.historyLength = 23
            let history = FakeHistory { [answer] in $0.describe = { _, reply in reply.succeed(answer) } }
            try await withFront(history: history) { client in
                let response: DescribeWorkflowExecutionResponse = try await client.call(
                    .describeWorkflowExecution,
                    Refused.describe
                )
                #expect(response == answer)
            }
        }
    }
}
