import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreGRPC
import SagamoreGRPCFront
import SagamoreProtobuf
import SagamoreServices
import Testing

extension FrontTests {
    /// Updates of clients, and what History hears of them.
    @Suite struct UpdateTests {
        private let runID = SampleRun.runID

        private func request(_ adjust: (inout UpdateWorkflowExecutionRequest) -> Void = { _ in })
            -> UpdateWorkflowExecutionRequest
        {
            var request = UpdateWorkflowExecutionRequest()
            request.namespace = "default"
            request.workflowExecution = Refused.execution("booking", "")
            request.request = Samples.updateRequest("u")
            request.waitPolicy = WaitPolicy()
            request.waitPolicy?.lifecycleStage = .accepted
            adjust(&request)
            return request
        }

        private func outcome(_ failure: RawMessage<Failure>) -> Outcome {
            var outcome = Outcome()
            outcome.value = .failure(failure)
            return outcome
        }

        @Test func answerNamesTheUpdateAndItsOutcome() async throws {
            let history = FakeHistory { [runID] in
                $0.update = { workflow, update, stage, _, reply in
                    #expect(workflow == WorkflowReference(key: SampleRun.key, runID: nil))
                    #expect(update.request == Samples.updateRequest("u"))
                    #expect(stage == .accepted)
                    reply.succeed(UpdateStatus(runID: runID, stage: .completed, outcome: Samples.outcome("done")))
                }
            }
            try await withFront(history: history) { client in
                let response: UpdateWorkflowExecutionResponse = try await client.call(
                    .updateWorkflowExecution,
                    request()
                )
                #expect(response.updateRef?.updateID == "u")
                #expect(response.updateRef?.workflowExecution?.runID == runID.description)
                #expect(response.stage == .completed)
                #expect(response.outcome == Samples.outcome("done"))
                guard case .workflowEvent(let event)? = response.link?.variant,
                    case .requestIDRef(let reference)? = event.reference
                else {
                    Issue.record("no link")
                    return
                }
                #expect(reference.eventType == .workflowExecutionUpdateAccepted)
            }
        }

        @Test func linkOfAnUpdateSaysWhetherItFailed() async throws {
            let failed = outcome(Samples.failure("not now"))
            let history = FakeHistory { [runID] in
                $0.update = { _, update, _, _, reply in
                    let isAdmitted = update.id == "admitted"
                    reply.succeed(
                        UpdateStatus(
                            runID: runID,
                            stage: isAdmitted ? .admitted : .completed,
                            outcome: isAdmitted ? nil : failed
                        )
                    )
                }
            }
            try await withFront(history: history) { client in
                var response: UpdateWorkflowExecutionResponse = try await client.call(
                    .updateWorkflowExecution,
                    request()
                )
                guard case .workflow(let workflow)? = response.link?.variant else {
                    Issue.record("no link")
                    return
                }
                #expect(workflow.reason == "Update rejected")
                response = try await client.call(
                    .updateWorkflowExecution,
                    request { $0.request?.meta?.updateID = "admitted" }
                )
                #expect(response.link == nil && response.stage == .admitted)
            }
        }

        @Test func updateWithoutAnIDGetsOneAndWaitsForItsOutcome() async throws {
            let history = FakeHistory { [runID] in
                $0.update = { _, update, stage, _, reply in
                    #expect(!update.id.isEmpty)
                    #expect(stage == .completed)
                    reply.succeed(UpdateStatus(runID: runID, stage: .accepted))
                }
            }
            try await withFront(history: history) { client in
                let response: UpdateWorkflowExecutionResponse = try await client.call(
                    .updateWorkflowExecution,
                    request {
                        $0.request?.meta?.updateID = ""
                        $0.waitPolicy = nil
                    }
                )
                #expect(response.updateRef?.updateID.isEmpty == false)
            }
        }

        @Test func stageAtWhichNothingIsDurableIsRefused() async throws {
            try await withFront { client in
                let admitted = request { $0.waitPolicy?.lifecycleStage = .admitted }
                let status = try #require(
                    await client.refusal(.updateWorkflowExecution, admitted.serializedBytes())
                )
                #expect(status.code == .permissionDenied)
                #expect(
                    status.message
                        == "UpdateWorkflowExecution issued asynchronously and waiting on update admitted "
                        + "is not supported."
                )
                let nothing = request { $0.request = nil }
                let refusal = try #require(await client.refusal(.updateWorkflowExecution, nothing.serializedBytes()))
                #expect(refusal.message == "Update meta is not set on request.")
            }
        }

        @Test func tooManyUpdatesNameTheLimit() async throws {
            let history = FakeHistory {
                $0.update = { _, _, _, _, reply in
                    reply.fail(RequestError(.resourceExhausted, "too many", detail: .concurrentLimit))
                }
            }
            try await withFront(history: history) { client in
                let status = try #require(await client.refusal(.updateWorkflowExecution, request().serializedBytes()))
                let failure = try #require(try status.detail(ResourceExhaustedFailure.self))
                #expect(failure.cause == .concurrentLimit)
                #expect(failure.scope == .namespace)
            }
        }

        @Test func pollAsksForTheUpdate() async throws {
            let history = FakeHistory { [runID] in
                $0.pollUpdate = { workflow, id, stage, _, reply in
                    #expect(workflow == WorkflowReference(key: SampleRun.key, runID: runID))
                    #expect(id == "u")
                    #expect(stage == .completed)
                    reply.succeed(UpdateStatus(runID: runID, stage: .completed, outcome: Samples.outcome("done")))
                }
            }
            try await withFront(history: history) { client in
                var request = PollWorkflowExecutionUpdateRequest()
                request.namespace = "default"
                let refusal = try #require(
                    await client.refusal(.pollWorkflowExecutionUpdate, request.serializedBytes())
                )
                #expect(refusal.message == "UpdateRef is not set on request.")
                request.updateRef = UpdateRef()
                request.updateRef?.updateID = "u"
                request.updateRef?.workflowExecution = Refused.execution("booking", runID.description)
                request.waitPolicy = WaitPolicy()
                request.waitPolicy?.lifecycleStage = .completed
                let response: PollWorkflowExecutionUpdateResponse = try await client.call(
                    .pollWorkflowExecutionUpdate,
                    request
                )
                #expect(response.stage == .completed)
                #expect(response.outcome == Samples.outcome("done"))
                #expect(response.updateRef?.updateID == "u")
            }
        }
    }
}
