import SagamoreAPI
import SagamoreEngine
import SagamoreGRPCFront
import SagamoreProtobuf
import SagamoreServices
import Synchronization
import Testing

extension FrontTests {
    /// Workflow tasks on their way to workers and back.
    @Suite struct WorkflowTaskTests {
        @Test func pollIsAnsweredWithTheTask() async throws {
            var run = try SampleRun()
            var query = WorkflowQuery()
            query.queryType = "status"
            let task = try run.workflowTask(queries: ["q1": query])
            let polls = Mutex<[SeenPoll]>([])
            let matching = FakeMatching { handlers in
                handlers.workflowTask = { poll, reply in
                    polls.withLock { $0.append(poll) }
                    reply.succeed(.task(task))
                }
            }
            try await withFront(matching: matching) { client in
                var request = Refused.workflowPoll
                request.workerVersionCapabilities = WorkerVersionCapabilities()
                request.workerVersionCapabilities?.buildID = "build"
                let response: PollWorkflowTaskQueueResponse = try await client.call(
                    .pollWorkflowTaskQueue,
                    request,
                    deadline: .seconds(10)
                )
                #expect(response.taskToken == task.token)
                #expect(response.workflowExecution?.workflowID == "booking")
                #expect(response.workflowExecution?.runID == SampleRun.runID.description)
                #expect(response.workflowType?.name == "TravelBooking")
                #expect(response.previousStartedEventID == 0)
                #expect(response.startedEventID == 3)
                #expect(response.attempt == 1)
                #expect(response.history?.events.map(\.eventID) == [1, 2, 3])
                #expect(response.history?.events.last?.eventType == .workflowTaskStarted)
                #expect(response.nextPageToken.isEmpty)
                #expect(response.workflowExecutionTaskQueue?.name == "travel")
                #expect(response.workflowExecutionTaskQueue?.kind == .normal)
                #expect(response.scheduledTime == now.timestamp)
                #expect(response.startedTime == (now + .seconds(1)).timestamp)
                #expect(response.queries == ["q1": query])
                #expect(response.query == nil)
            }
            let poll = try #require(polls.withLock { $0.first })
            #expect(poll.queue == TaskQueueKey(namespace: 1, name: "travel", kind: .workflow))
            #expect(!poll.isSticky)
            #expect(poll.poller.identity == "worker")
            #expect(poll.poller.buildID == "build")
            #expect(RunID(poll.poller.requestID) != nil)
            #expect(poll.deadline > now + .seconds(7) && poll.deadline < now + .milliseconds(9_500))
        }

        /// A worker takes a task without a history for broken, and one with the field twice for a shorter one.
        @Test func historyStandsInTheAnswerOnce() async throws {
            var run = try SampleRun()
            let task = try run.workflowTask()
            let empty = AssignedWorkflowTask(
                key: task.key,
                runID: task.runID,
                delivery: task.delivery,
                token: task.token,
                history: [],
                nextPageToken: [1],
                queries: [:]
            )
            for task in [task, empty] {
                let matching = FakeMatching { $0.workflowTask = { _, reply in reply.succeed(.task(task)) } }
                try await withFront(matching: matching) { client in
                    let bytes = try await client.channel.call(
                        WorkflowServiceMethod.pollWorkflowTaskQueue.rawValue,
                        Refused.workflowPoll.serializedBytes(),
                        deadline: .seconds(20)
                    )
                    let fields = try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in
                        var numbers: [Int] = []
                        while try reader.nextTag() != nil {
                            numbers.append(reader.fieldNumber)
                            try reader.skip()
                        }
                        return numbers
                    }
                    #expect(fields.filter { $0 == 8 }.count == 1)
                }
            }
        }

        @Test func stickyPollGetsAQuery() async throws {
            var query = WorkflowQuery()
            query.queryType = "status"
            let assigned = AssignedQuery(
                key: SampleRun.key,
                runID: SampleRun.runID,
                workflowType: "TravelBooking",
                token: Refused.queryToken,
                query: query,
                history: [],
                nextPageToken: [],
                previousStartedEventID: 3
            )
            let matching = FakeMatching {
                $0.workflowTask = { poll, reply in
                    #expect(poll.isSticky)
                    #expect(poll.queue.name == "worker-sticky")
                    reply.succeed(.query(assigned))
                }
            }
            try await withFront(matching: matching) { client in
                var request = Refused.workflowPoll
                request.taskQueue?.name = "worker-sticky"
                request.taskQueue?.kind = .sticky
                request.taskQueue?.normalName = "travel"
                let response: PollWorkflowTaskQueueResponse = try await client.call(.pollWorkflowTaskQueue, request)
                #expect(response.query == query)
                #expect(response.taskToken == Refused.queryToken)
                #expect(response.previousStartedEventID == 3)
                #expect(response.startedEventID == 0)
                #expect(response.attempt == 1)
                #expect(response.history == History())
                #expect(response.workflowExecutionTaskQueue?.name == "travel")
                #expect(response.workflowType?.name == "TravelBooking")
            }
        }

        @Test func pollWithoutATask() async throws {
            try await withFront { client in
                let response: PollWorkflowTaskQueueResponse = try await client.call(
                    .pollWorkflowTaskQueue,
                    Refused.workflowPoll
                )
                #expect(response == PollWorkflowTaskQueueResponse())
            }
        }

        @Test func pollsWaitAtMostAMinute() async throws {
            let matching = FakeMatching {
                $0.workflowTask = { poll, reply in
                    #expect(poll.deadline == now + .seconds(60))
                    reply.succeed(.none)
                }
            }
            try await withFront(matching: matching) { client in
                let _: PollWorkflowTaskQueueResponse = try await client.call(
                    .pollWorkflowTaskQueue,
                    Refused.workflowPoll,
                    deadline: .seconds(70)
                )
            }
        }

        @Test func pollsNeedADeadlineLongEnough() async throws {
            try await withFront { client in
                for (method, request) in [
                    (.pollWorkflowTaskQueue, Refused.workflowPoll.serializedBytes()),
                    (.pollActivityTaskQueue, Refused.activityPoll.serializedBytes()),
                ] as [(WorkflowServiceMethod, [UInt8])] {
                    let endless = try #require(await client.refusal(method, request, deadline: nil))
                    #expect(endless.code == .invalidArgument)
                    #expect(endless.message == "Context timeout is not set.")
                    let short = try #require(await client.refusal(method, request, deadline: .milliseconds(1_900)))
                    #expect(short.code == .failedPrecondition)
                    #expect(short.message == "Context timeout is too short.")
                }
            }
        }

        @Test func pollEndsWithItsClient() async throws {
            let (waiting, arrived) = AsyncStream<Reply<PolledWorkflowTask>>.makeStream()
            let (cancelled, gone) = AsyncStream<PollHandle>.makeStream()
            let matching = FakeMatching {
                $0.workflowTask = { _, reply in arrived.yield(reply) }
                $0.cancelPoll = { handle in gone.yield(handle) }
            }
            try await withFront(matching: matching) { client in
                let poll = client.channel.call(
                    WorkflowServiceMethod.pollWorkflowTaskQueue.rawValue,
                    Refused.workflowPoll.serializedBytes(),
                    deadline: .seconds(60)
                ) { _ in }
                let reply = await waiting.first { _ in true }
                poll.cancel()
                let handle = await cancelled.first { _ in true }
                #expect(handle?.queue.name == "travel")
                reply?.succeed(.none)
            }
        }

        @Test func completionGivesActivitiesAndTheNextTask() async throws {
            var first = try SampleRun()
            let activity = try first.activityTask()
            var second = try SampleRun()
            let next = try second.workflowTask()
            let history = FakeHistory {
                $0.completeWorkflowTask = { token, request, reply in
                    #expect(token.startedEventID == 3)
                    #expect(token.nonce == 7)
                    #expect(token.epoch == 3)
                    #expect(request.returnNewWorkflowTask)
                    reply.succeed(CompletedWorkflowTask(eagerActivities: [activity], nextTask: next))
                }
                $0.returnActivity = { _ in Issue.record("the answer arrived") }
            }
            try await withFront(history: history) { client in
                var request = Refused.completed
                request.returnNewWorkflowTask = true
                let response: RespondWorkflowTaskCompletedResponse = try await client.call(
                    .respondWorkflowTaskCompleted,
                    request
                )
                let task = try #require(response.activityTasks.first)
                #expect(response.activityTasks.count == 1)
                #expect(task.activityID == "7")
                #expect(task.taskToken == activity.token)
                #expect(task.workflowNamespace == "default")
                #expect(response.workflowTask?.taskToken == next.token)
                #expect(response.workflowTask?.startedEventID == 3)
                #expect(response.workflowTask?.history?.events.map(\.eventID) == [1, 2, 3])
            }
        }

        @Test func completionWithoutAnythingToDo() async throws {
            let history = FakeHistory {
                $0.completeWorkflowTask = { _, _, reply in
                    reply.succeed(CompletedWorkflowTask(eagerActivities: [], nextTask: nil))
                }
            }
            try await withFront(history: history) { client in
                let response: RespondWorkflowTaskCompletedResponse = try await client.call(
                    .respondWorkflowTaskCompleted,
                    Refused.completed
                )
                #expect(response == RespondWorkflowTaskCompletedResponse())
            }
        }

        @Test func eagerActivitiesThatDoNotArriveAreReturned() async throws {
            var run = try SampleRun()
            let activity = try run.activityTask()
            let (waiting, arrived) = AsyncStream<Reply<CompletedWorkflowTask>>.makeStream()
            let (returned, given) = AsyncStream<ActivityTaskToken>.makeStream()
            let history = FakeHistory {
                $0.completeWorkflowTask = { _, _, reply in arrived.yield(reply) }
                $0.returnActivity = { given.yield($0) }
            }
            try await withFront(history: history) { client in
                let completion = client.channel.call(
                    WorkflowServiceMethod.respondWorkflowTaskCompleted.rawValue,
                    Refused.completed.serializedBytes(),
                    deadline: .seconds(60)
                ) { _ in }
                let reply = await waiting.first { _ in true }
                // A later call on the same connection: when it is answered the server has read that this one was given
                // up.
                completion.cancel()
                let _: GetSystemInfoResponse = try await client.call(.getSystemInfo, GetSystemInfoRequest())
                reply?.succeed(CompletedWorkflowTask(eagerActivities: [activity], nextTask: nil))
                let token = await returned.first { _ in true }
                #expect(token?.scheduledEventID == activity.delivery.activity.scheduledEventID)
            }
        }

        @Test func failure() async throws {
            var failure = Failure()
            failure.message = "nondeterministic"
            let history = FakeHistory { [failure] in
                $0.failWorkflowTask = { token, cause, given, reply in
                    #expect(token.startedEventID == 3)
                    #expect(cause == .nonDeterministicError)
                    #expect(given == RawMessage(failure))
                    reply.succeed()
                }
            }
            try await withFront(history: history) { client in
                var request = Refused.failed
                request.cause = .nonDeterministicError
                request.failure = RawMessage(failure)
                let _: RespondWorkflowTaskFailedResponse = try await client.call(.respondWorkflowTaskFailed, request)
            }
        }

        @Test func shutdownOfAWorker() async throws {
            let (workers, shutDown) = AsyncStream<String>.makeStream()
            let matching = FakeMatching {
                $0.workerShutDown = {
                    shutDown.yield("\($0.namespace) \($0.stickyQueue) \($0.identity) \($0.instanceKey)")
                }
            }
            try await withFront(matching: matching) { client in
                var request = ShutdownWorkerRequest()
                request.namespace = "other"
                request.stickyTaskQueue = "sticky"
                request.identity = "worker"
                request.workerInstanceKey = "key"
                let _: ShutdownWorkerResponse = try await client.call(.shutdownWorker, request)
                #expect(await workers.first { _ in true } == "2 sticky worker key")
            }
        }

        /// The polls of the worker that were accepted have to end, whatever else it names.
        @Test func shutdownWithUnusableNamesIsNotRefused() async throws {
            let (workers, shutDown) = AsyncStream<DepartingWorker>.makeStream()
            let matching = FakeMatching { $0.workerShutDown = { shutDown.yield($0) } }
            try await withFront(matching: matching) { client in
                var request = ShutdownWorkerRequest()
                request.namespace = "default"
                request.identity = String(repeating: "i", count: 990)
                request.stickyTaskQueue = request.identity + "-0123456789abcdef"
                request.workerInstanceKey = "key"
                let _: ShutdownWorkerResponse = try await client.call(.shutdownWorker, request)
                let worker = try #require(await workers.first { _ in true })
                #expect(worker.stickyQueue.isEmpty)
                #expect(worker.identity == request.identity && worker.instanceKey == "key")
                request.identity += request.identity
                request.workerInstanceKey = "a\0b"
                let _: ShutdownWorkerResponse = try await client.call(.shutdownWorker, request)
                let other = try #require(await workers.first { _ in true })
                #expect(other.identity == request.identity && other.instanceKey.isEmpty)
            }
        }

        @Test(.timeLimit(.minutes(1))) func endOfAPollersConnection() async throws {
            let (polls, polled) = AsyncStream<UInt64?>.makeStream()
            let (ends, ended) = AsyncStream<UInt64>.makeStream()
            let matching = FakeMatching {
                $0.workflowTask = { poll, reply in
                    polled.yield(poll.poller.connectionID)
                    reply.succeed(.none)
                }
                $0.connectionEnded = { ended.yield($0) }
            }
            try await withFront(matching: matching) { client in
                let _: PollWorkflowTaskQueueResponse = try await client.call(
                    .pollWorkflowTaskQueue,
                    Refused.workflowPoll
                )
                let connection = try #require(await polls.first { _ in true } ?? nil)
                client.channel.shutdown()
                #expect(await ends.first { _ in true } == connection)
            }
        }

        /// A worker that stops waits for its polls: a poll that comes after ShutdownWorker must not wait for a task.
        @Test func pollAfterShutdownEndsAtOnce() async throws {
            let matching = FakeMatching { $0.workflowTask = { _, reply in kept.withLock { $0.append(reply) } } }
            try await withFront(matching: matching) { client in
                var shutdown = ShutdownWorkerRequest()
                shutdown.namespace = "default"
                shutdown.identity = "worker"
                shutdown.workerInstanceKey = "left"
                let _: ShutdownWorkerResponse = try await client.call(.shutdownWorker, shutdown)
                var poll = Refused.workflowPoll
                poll.workerInstanceKey = "left"
                let answer: PollWorkflowTaskQueueResponse = try await client.call(
                    .pollWorkflowTaskQueue,
                    poll,
                    deadline: .seconds(60)
                )
                #expect(answer == PollWorkflowTaskQueueResponse())
                // SDKs retry a poll that is refused, so its end comes before any refusal.
                poll.identity = String(repeating: "i", count: 1_001)
                let second: PollWorkflowTaskQueueResponse = try await client.call(
                    .pollWorkflowTaskQueue,
                    poll,
                    deadline: .seconds(60)
                )
                #expect(second == PollWorkflowTaskQueueResponse())
                poll.identity = "worker"
                // Another worker of the same process, and so of the same identity, still waits.
                poll.workerInstanceKey = "stayed"
                let status = await client.refusal(
                    .pollWorkflowTaskQueue,
                    poll.serializedBytes(),
                    deadline: .milliseconds(2_100)
                )
                #expect(status?.code == .deadlineExceeded)
            }
            kept.withLock { $0.removeAll() }
        }
    }
}

/// Replies that nobody gives.
private let kept = Mutex<[Reply<PolledWorkflowTask>]>([])
