import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreGRPCFront
import SagamoreProtobuf
import SagamoreServices
import Synchronization
import Testing

extension FrontTests {
    /// Activity tasks on their way to workers and back.
    @Suite struct ActivityTaskTests {
        private static let token = ActivityTaskToken(
            key: SampleRun.key,
            runID: SampleRun.runID,
            scheduledEventID: 5,
            attempt: 2,
            nonce: 9
        )

        @Test func pollIsAnsweredWithTheAttempt() async throws {
            var run = try SampleRun()
            let task = try run.activityTask()
            let matching = FakeMatching {
                $0.activityTask = { poll, reply in
                    #expect(poll.queue == TaskQueueKey(namespace: 1, name: "cars", kind: .activity))
                    #expect(poll.poller.identity == "worker")
                    reply.succeed(task)
                }
            }
            let history = FakeHistory { $0.returnActivity = { _ in Issue.record("the task arrived") } }
            try await withFront(history: history, matching: matching) { client in
                let response: PollActivityTaskQueueResponse = try await client.call(
                    .pollActivityTaskQueue,
                    Refused.activityPoll
                )
                #expect(response.taskToken == task.token)
                #expect(response.workflowNamespace == "default")
                #expect(response.workflowType?.name == "TravelBooking")
                #expect(response.workflowExecution?.workflowID == "booking")
                #expect(response.workflowExecution?.runID == SampleRun.runID.description)
                #expect(response.activityType?.name == "book_car")
                #expect(response.activityID == "7")
                #expect(response.input == payloads("a car"))
                #expect(response.heartbeatDetails == nil)
                #expect(response.scheduledTime == (now + .seconds(2)).timestamp)
                #expect(response.currentAttemptScheduledTime == (now + .seconds(2)).timestamp)
                #expect(response.startedTime == (now + .seconds(3)).timestamp)
                #expect(response.attempt == 1)
                #expect(response.startToCloseTimeout == Interval.seconds(5).duration)
                #expect(response.scheduleToCloseTimeout == ProtobufDuration())
                #expect(response.heartbeatTimeout == ProtobufDuration())
                #expect(response.retryPolicy?.initialInterval == Interval.seconds(1).duration)
                #expect(response.retryPolicy?.backoffCoefficient == 2)
            }
        }

        @Test func pollWithoutATask() async throws {
            try await withFront { client in
                let response: PollActivityTaskQueueResponse = try await client.call(
                    .pollActivityTaskQueue,
                    Refused.activityPoll
                )
                #expect(response == PollActivityTaskQueueResponse())
            }
        }

        @Test func taskThatDoesNotArriveIsReturned() async throws {
            var run = try SampleRun()
            let task = try run.activityTask()
            let (waiting, arrived) = AsyncStream<Reply<AssignedActivityTask?>>.makeStream()
            let (cancelled, gone) = AsyncStream<PollHandle>.makeStream()
            let (returned, given) = AsyncStream<ActivityTaskToken>.makeStream()
            let matching = FakeMatching {
                $0.activityTask = { _, reply in arrived.yield(reply) }
                $0.cancelPoll = { gone.yield($0) }
            }
            let history = FakeHistory { $0.returnActivity = { given.yield($0) } }
            try await withFront(history: history, matching: matching) { client in
                let poll = client.channel.call(
                    WorkflowServiceMethod.pollActivityTaskQueue.rawValue,
                    Refused.activityPoll.serializedBytes(),
                    deadline: .seconds(60)
                ) { _ in }
                let reply = await waiting.first { _ in true }
                poll.cancel()
                #expect(await cancelled.first { _ in true }?.queue.kind == .activity)
                // The task was on its way when the poller left.
                reply?.succeed(task)
                let token = await returned.first { _ in true }
                #expect(token?.scheduledEventID == task.delivery.activity.scheduledEventID)
                #expect(token?.attempt == 1)
            }
        }

        @Test func completed() async throws {
            let history = FakeHistory {
                $0.completeActivity = { token, result, identity, reply in
                    #expect(token == Self.token)
                    #expect(result == payloads("booked"))
                    #expect(identity == "worker")
                    reply.succeed()
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.activityCompleted
                request.result = payloads("booked")
                let _: RespondActivityTaskCompletedResponse = try await client.call(
                    .respondActivityTaskCompleted,
                    request
                )
                // The token names the namespace too.
                request.namespace = ""
                let _: RespondActivityTaskCompletedResponse = try await client.call(
                    .respondActivityTaskCompleted,
                    request
                )
            }
        }

        @Test func lateCompletion() async throws {
            let history = FakeHistory { $0.completeActivity = { $3.fail(.activityTaskNotFound) } }
            try await withFront(history: history) { client in
                let status = try #require(
                    await client.refusal(.respondActivityTaskCompleted, Refused.activityCompleted.serializedBytes())
                )
                #expect(status.code == .notFound)
                #expect(try status.detailNames == ["temporal.api.errordetails.v1.NotFoundFailure"])
            }
        }

        @Test func failed() async throws {
            var failure = Failure()
            failure.message = "no cars"
            let history = FakeHistory { [failure] in
                $0.failActivity = { token, given, details, reply in
                    #expect(token == Self.token)
                    #expect(given == RawMessage(failure))
                    #expect(details == payloads("half"))
                    reply.succeed()
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.activityFailed
                request.failure = RawMessage(failure)
                request.lastHeartbeatDetails = payloads("half")
                let response: RespondActivityTaskFailedResponse = try await client.call(
                    .respondActivityTaskFailed,
                    request
                )
                #expect(response.failures.isEmpty)
            }
        }

        @Test func failureTooLargeKeepsWhatMatters() async throws {
            var info = ApplicationFailureInfo()
            info.type = "NoCars"
            info.nonRetryable = true
            info.details = try tooLarge.decoded()
            var failure = Failure()
            failure.message = String(repeating: "ä", count: 3_000)
            failure.failureInfo = .applicationFailureInfo(info)
            let given = Mutex<RawMessage<Failure>?>(nil)
            let history = FakeHistory { handlers in
                handlers.failActivity = { _, failure, details, reply in
                    #expect(details == nil)
                    given.withLock { $0 = failure }
                    reply.succeed()
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.activityFailed
                request.failure = RawMessage(failure)
                let response: RespondActivityTaskFailedResponse = try await client.call(
                    .respondActivityTaskFailed,
                    request
                )
                let recorded = try #require(given.withLock { $0 })
                #expect(response.failures == [recorded])
                let decoded = try recorded.decoded()
                #expect(decoded.message == "Failure exceeds size limit.")
                var serverInfo = ServerFailureInfo()
                serverInfo.nonRetryable = true
                #expect(decoded.failureInfo == .serverFailureInfo(serverInfo))
                #expect(decoded.cause?.message == failure.message)
                info.details = nil
                #expect(decoded.cause?.failureInfo == .applicationFailureInfo(info))
            }
        }

        @Test func cancelled() async throws {
            let history = FakeHistory {
                $0.cancelActivity = { token, details, reply in
                    #expect(token == Self.token)
                    #expect(details == payloads("half"))
                    reply.succeed()
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.activityCanceled
                request.details = payloads("half")
                let _: RespondActivityTaskCanceledResponse = try await client.call(
                    .respondActivityTaskCanceled,
                    request
                )
            }
        }

        @Test(arguments: [true, false])
        func heartbeat(_ isCancelRequested: Bool) async throws {
            let history = FakeHistory {
                $0.heartbeat = { token, details, reply in
                    #expect(token == Self.token)
                    #expect(details == payloads("half"))
                    reply.succeed(HeartbeatAnswer(cancelRequested: isCancelRequested))
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.heartbeat
                request.details = payloads("half")
                let response: RecordActivityTaskHeartbeatResponse = try await client.call(
                    .recordActivityTaskHeartbeat,
                    request
                )
                #expect(response.cancelRequested == isCancelRequested)
            }
        }

        /// Refusing them would make the worker send them again, for ever.
        @Test func detailsTooLargeEndTheActivity() async throws {
            let messages = Mutex<[String]>([])
            let history = FakeHistory { handlers in
                handlers.failActivity = { _, failure, _, reply in
                    messages.withLock { $0.append((try? failure?.decoded())?.message ?? "") }
                    reply.succeed()
                }
            }
            try await withFront(history: history) { client in
                var beat = Refused.heartbeat
                beat.details = tooLarge
                let answer: RecordActivityTaskHeartbeatResponse = try await client.call(
                    .recordActivityTaskHeartbeat,
                    beat
                )
                #expect(answer.cancelRequested)
                var cancel = Refused.activityCanceled
                cancel.details = tooLarge
                let _: RespondActivityTaskCanceledResponse = try await client.call(.respondActivityTaskCanceled, cancel)
            }
            let expected = ["Heartbeat details exceed size limit.", "Cancel details exceed size limit."]
            #expect(messages.withLock { $0 } == expected)
        }
    }
}
