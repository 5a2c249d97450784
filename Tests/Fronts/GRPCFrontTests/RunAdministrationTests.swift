import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreGRPC
import SagamoreServices
import Synchronization
import Testing

extension FrontTests {
    /// Histories from their end, deletions, and what else administrators do to runs.
    @Suite struct RunAdministrationTests {
        @Test func aReversedHistoryGoesOutAsItIs() async throws {
            let run = try SampleRun()
            let frames = run.events.reversed().flatMap(\.frame)
            let reads = Mutex<[HistoryRead]>([])
            let history = FakeHistory { handlers in
                handlers.readHistory = { workflow, read, reply in
                    #expect(workflow == WorkflowReference(key: SampleRun.key, runID: nil))
                    reads.withLock { $0.append(read) }
                    reply.succeed(HistoryPage(frames: frames, nextPageToken: [9, 9]))
                }
            }
            try await withFront(history: history) { client in
                var request = GetWorkflowExecutionHistoryReverseRequest()
                request.namespace = "default"
                request.execution = Refused.readHistory.execution
                for size in [3, 0, -1, 9_999] as [Int32] {
                    request.nextPageToken = [UInt8(size & 7)]
                    request.maximumPageSize = size
                    let response: GetWorkflowExecutionHistoryReverseResponse = try await client.call(
                        .getWorkflowExecutionHistoryReverse,
                        request
                    )
                    #expect(response.history?.events == run.events.map(\.event).reversed())
                    #expect(response.nextPageToken == [9, 9])
                }
            }
            let seen = reads.withLock { $0 }
            #expect(seen.map(\.pageSize) == [3, 256, 256, 1_000])
            #expect(seen.map(\.pageToken) == [[3], [0], [7], [7]])
            #expect(seen.allSatisfy { $0.isReversed && !$0.waitsForNews && !$0.onlyCloseEvent })
        }

        @Test func aDeletionNamesAWorkflowOrARun() async throws {
            let run = RunID(high: 1, low: 2)
            let deleted = Mutex<[WorkflowReference]>([])
            let history = FakeHistory { handlers in
                handlers.delete = { workflow, reply in
                    deleted.withLock { $0.append(workflow) }
                    reply.succeed(())
                }
            }
            try await withFront(history: history) { client in
                var request = DeleteWorkflowExecutionRequest()
                request.namespace = "default"
                request.workflowExecution = Refused.readHistory.execution
                let _: DeleteWorkflowExecutionResponse = try await client.call(.deleteWorkflowExecution, request)
                request.workflowExecution?.runID = run.description
                let _: DeleteWorkflowExecutionResponse = try await client.call(.deleteWorkflowExecution, request)
            }
            let expected = [nil, run].map { WorkflowReference(key: SampleRun.key, runID: $0) }
            #expect(deleted.withLock { $0 } == expected)
        }

        @Test func aResetAnswersWithTheNewRun() async throws {
            let run = RunID(high: 1, low: 2)
            let history = FakeHistory { handlers in
                handlers.reset = { workflow, request, reply in
                    #expect(workflow == WorkflowReference(key: SampleRun.key, runID: nil))
                    #expect(request.requestID == "reset" && request.eventID == 4 && request.reason == "why")
                    reply.succeed(run)
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.reset
                request.reason = "why"
                let response: ResetWorkflowExecutionResponse = try await client.call(.resetWorkflowExecution, request)
                #expect(response.runID == run.description)
            }
        }

        @Test func optionsAreAnsweredAsTheyAreThen() async throws {
            let history = FakeHistory { handlers in
                handlers.updateOptions = { _, request, reply in
                    var options = WorkflowExecutionOptions()
                    options.priority = Priority()
                    options.priority?.priorityKey = 4
                    reply.succeed(options)
                }
            }
            try await withFront(history: history) { client in
                let response: UpdateWorkflowExecutionOptionsResponse = try await client.call(
                    .updateWorkflowExecutionOptions,
                    Refused.options
                )
                #expect(response.workflowExecutionOptions?.priority?.priorityKey == 4)
            }
        }
    }
}
