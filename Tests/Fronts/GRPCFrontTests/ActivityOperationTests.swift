import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreGRPCFront
import SagamoreProtobuf
import SagamoreServices
import Testing

extension FrontTests {
    /// Answers to activities by their ids, and what operators do to activities.
    @Suite struct ActivityOperationTests {
        private static var execution: WorkflowExecution {
            var execution = WorkflowExecution()
            execution.workflowID = "booking"
            return execution
        }

        @Test func answersByIDReachTheHistory() async throws {
            let history = FakeHistory {
                $0.answerActivity = { activityID, workflow, answer, identity, reply in
                    #expect(activityID == "7")
                    #expect(workflow.key.workflowID == "booking")
                    #expect(identity == "outside")
                    guard case .heartbeat(let details) = answer else {
                        Issue.record("no heartbeat")
                        return reply.fail(.workflowClosed)
                    }
                    #expect(details == payloads("half"))
                    reply.succeed(HeartbeatAnswer(isPaused: true, isReset: true))
                }
            }
            try await withFront(history: history) { client in
                var request = RecordActivityTaskHeartbeatByIdRequest()
                request.namespace = "default"
                request.workflowID = "booking"
                request.activityID = "7"
                request.identity = "outside"
                request.details = payloads("half")
                let response: RecordActivityTaskHeartbeatByIdResponse = try await client.call(
                    .recordActivityTaskHeartbeatById,
                    request
                )
                #expect(!response.cancelRequested && response.activityPaused && response.activityReset)
            }
        }

        @Test func operationsReachTheHistory() async throws {
            let history = FakeHistory {
                $0.operate = { operation, activities, workflow, identity, reply in
                    #expect(workflow.key.workflowID == "booking")
                    #expect(identity == "operator")
                    switch operation {
                    case .pause(let reason): #expect(reason == "maintenance" && activities == .type("book_car"))
                    case .unpause(let attempts, let heartbeat, let jitter):
                        #expect(attempts && heartbeat && jitter == .seconds(3) && activities == .all)
                    case .reset(let heartbeat, let keepsPaused, let restores, let jitter):
                        #expect(heartbeat && keepsPaused && restores && jitter == .seconds(4) && activities == .id("7"))
                    default: Issue.record("another operation: \(operation)")
                    }
                    reply.succeed(nil)
                }
            }
            try await withFront(history: history) { client in
                var pause = PauseActivityRequest()
                (pause.namespace, pause.execution, pause.identity) = ("default", Self.execution, "operator")
                (pause.reason, pause.activity) = ("maintenance", .type("book_car"))
                let _: PauseActivityResponse = try await client.call(.pauseActivity, pause)
                var unpause = UnpauseActivityRequest()
                (unpause.namespace, unpause.execution, unpause.identity) = ("default", Self.execution, "operator")
                (unpause.resetAttempts, unpause.resetHeartbeat, unpause.activity) = (true, true, .unpauseAll(true))
                unpause.jitter = Interval.seconds(3).duration
                let _: UnpauseActivityResponse = try await client.call(.unpauseActivity, unpause)
                var reset = ResetActivityRequest()
                (reset.namespace, reset.execution, reset.identity) = ("default", Self.execution, "operator")
                (reset.resetHeartbeat, reset.keepPaused, reset.activity) = (true, true, .id("7"))
                (reset.restoreOriginalOptions, reset.jitter) = (true, Interval.seconds(4).duration)
                let _: ResetActivityResponse = try await client.call(.resetActivity, reset)
            }
        }

        @Test func changedOptionsAreAnswered() async throws {
            let history = FakeHistory {
                $0.operate = { operation, activities, _, _, reply in
                    #expect(activities == .id("7"))
                    guard case .changeOptions(var options, ["priority"]) = operation else {
                        Issue.record("another operation: \(operation)")
                        return reply.succeed(nil)
                    }
                    options.heartbeatTimeout = Interval.seconds(5).duration
                    reply.succeed(options)
                }
            }
            try await withFront(history: history) { client in
                var request = UpdateActivityOptionsRequest()
                (request.namespace, request.execution, request.activity) = ("default", Self.execution, .id("7"))
                request.activityOptions = ActivityOptions()
                request.updateMask = ProtobufFieldMask()
                request.updateMask?.paths = ["priority"]
                let response: UpdateActivityOptionsResponse = try await client.call(.updateActivityOptions, request)
                #expect(response.activityOptions?.heartbeatTimeout?.seconds == 5)
            }
        }
    }
}
