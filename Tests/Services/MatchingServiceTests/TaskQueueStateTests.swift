import SagamoreEngine
import SagamoreServices
import Testing

@testable import SagamoreMatchingService

/// One task queue: the actions that each event returns.
@Suite struct TaskQueueStateTests {
    private static let noon = Instant(nanoseconds: 1_749_988_800_000_000_000)
    private static let queue = TaskQueueKey(namespace: 1, name: "travel", kind: .activity)
    private static let room = QueueRoom(tasks: 2_000, bytes: .max)

    private func task(_ number: Int64, isSticky: Bool = false) -> MatchingTask {
        let kind: MatchingTask.Kind =
            isSticky
            ? .workflow(WorkflowTaskStamp(scheduledEventID: number, attempt: 1), isSticky: true)
            : .activity(scheduledEventID: number, attempt: 1)
        return MatchingTask(
            queue: Self.queue,
            key: WorkflowKey(namespace: 1, workflowID: "one"),
            runID: RunID(high: 1, low: 1),
            kind: kind
        )
    }

    private func query(_ number: UInt64, isSticky: Bool = false) -> MatchingTask {
        MatchingTask(
            queue: Self.queue,
            key: WorkflowKey(namespace: 1, workflowID: "one"),
            runID: RunID(high: 1, low: 1),
            kind: .query(number, isSticky: isSticky)
        )
    }

    private func departing(_ identity: String, key: String = "") -> DepartingWorker {
        DepartingWorker(namespace: 1, stickyQueue: "", identity: identity, instanceKey: key)
    }

    private func poll(
        _ id: UInt64,
        identity: String = "worker",
        key: String = "",
        connection: UInt64? = nil,
        deadline: Instant = .distantFuture
    ) -> Poll {
        let poller = PollerIdentity(
            identity: identity,
            requestID: "poll \(id)",
            buildID: "",
            instanceKey: key,
            connectionID: connection
        )
        return Poll(
            handle: PollHandle(queue: Self.queue, id: id),
            poller: poller,
            since: .distantPast,
            deadline: deadline,
            answer: .activity(Reply { _ in })
        )
    }

    /// Actions as text: `match 5 to 1`, `end 2`, `abandon 5`, `page out 5`, `page in 100`.
    private func words(_ actions: [MatchAction]) -> [String] {
        func name(_ task: MatchingTask) -> String {
            switch task.kind {
            case .workflow(let stamp, _): "\(stamp.scheduledEventID)"
            case .activity(let id, _): "\(id)"
            case .query(let id, _): "query \(id)"
            }
        }
        return actions.map { action in
            switch action {
            case .match(let queued, let poll): "match \(name(queued.task)) to \(poll.handle.id)"
            case .end(let poll): "end \(poll.handle.id)"
            case .abandon(let task): "abandon \(name(task))"
            case .pageOut(let task): "page out \(name(task))"
            case .pageIn(_, let limit): "page in \(limit)"
            }
        }
    }

    @Test func tasksAndPollsAreMatchedInOrder() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        #expect(words(state.offer(task(1), at: Self.noon)) == [])
        #expect(words(state.offer(task(2), at: Self.noon)) == [])
        #expect(words(state.poll(poll(1), isSticky: false, at: Self.noon)) == ["match 1 to 1"])
        #expect(words(state.poll(poll(2), isSticky: false, at: Self.noon)) == ["match 2 to 2"])
        #expect(words(state.poll(poll(3), isSticky: false, at: Self.noon)) == [])
        #expect(words(state.poll(poll(4), isSticky: false, at: Self.noon)) == [])
        #expect(state.pollCount == 2 && state.taskCount == 0)
        #expect(words(state.offer(task(3), at: Self.noon)) == ["match 3 to 3"])
        #expect(words(state.offer(task(4), at: Self.noon)) == ["match 4 to 4"])
        #expect(state.pollCount == 0)
    }

    @Test func aPollWhoseTaskWasStaleKeepsItsPlace() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        let first = poll(1)
        _ = state.poll(first, isSticky: false, at: Self.noon)
        _ = state.poll(poll(2), isSticky: false, at: Self.noon)
        #expect(words(state.offer(task(1), at: Self.noon)) == ["match 1 to 1"])
        #expect(words(state.pollAgain(first, at: Self.noon)) == [])
        #expect(words(state.offer(task(2), at: Self.noon)) == ["match 2 to 1"])
        #expect(words(state.offer(task(3), at: Self.noon)) == ["match 3 to 2"])
        // A poll past its deadline ends instead.
        let late = poll(5, deadline: Self.noon)
        #expect(words(state.pollAgain(late, at: Self.noon)) == ["end 5"])
    }

    @Test func pollsEndInTheOrderOfTheirArrival() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        for id in 1...40 as ClosedRange<UInt64> { _ = state.poll(poll(id), isSticky: false, at: Self.noon) }
        #expect(words(state.endAllPolls()) == (1...40).map { "end \($0)" })
    }

    private func seconds(_ count: Double) -> Instant { Self.noon + .milliseconds(Int64(count * 1_000)) }

    @Test func aTaskThatCannotBeStartedDoesNotBlockOthers() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        let first = poll(1)
        for number: Int64 in 1...3 { _ = state.offer(task(number), at: Self.noon) }
        #expect(words(state.poll(first, isSticky: false, at: Self.noon)) == ["match 1 to 1"])
        #expect(words(state.postpone(QueuedTask(task(1)), at: Self.noon)) == [])
        #expect(words(state.pollAgain(first, at: Self.noon)) == ["match 2 to 1"])
        #expect(words(state.poll(poll(2), isSticky: false, at: Self.noon)) == ["match 3 to 2"])
        // Without other tasks, polls wait for the next attempt.
        #expect(words(state.poll(poll(3), isSticky: false, at: Self.noon)) == [])
        #expect(words(state.step(at: seconds(0.249))) == [])
        #expect(state.wakeAt <= seconds(0.26))
        #expect(words(state.step(at: seconds(0.26))) == ["match 1 to 3"])
        #expect(state.postponedCount == 0)
    }

    @Test func theRetryDelayDoublesUpToALimit() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        var failed = QueuedTask(task(1))
        var now = Self.noon
        var delays: [Int64] = []
        for id in 0..<8 as Range<UInt64> {
            _ = state.postpone(failed, at: now)
            #expect(words(state.poll(poll(id), isSticky: false, at: now)) == [])
            let begin = now
            var actions: [MatchAction] = []
            while actions.isEmpty {
                now = now + .milliseconds(1)
                actions = state.step(at: now)
            }
            guard case .match(let queued, _)? = actions.first else { return #expect(Bool(false), "no match") }
            failed = queued
            delays.append((now - begin).nanoseconds / 1_000_000)
        }
        #expect(delays == [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
    }

    /// Neither new tasks nor tasks that always fail may starve the others.
    @Test func retriesAndNewTasksTakeTurns() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        for number: Int64 in 1...3 { _ = state.postpone(QueuedTask(task(number)), at: Self.noon) }
        for number: Int64 in 11...14 { _ = state.offer(task(number), at: Self.noon) }
        let given = (1...7).flatMap { id in words(state.poll(poll(id), isSticky: false, at: seconds(1))) }
        #expect(
            given == [
                "match 1 to 1", "match 11 to 2", "match 2 to 3", "match 12 to 4", "match 3 to 5", "match 13 to 6",
                "match 14 to 7",
            ]
        )
    }

    @Test func postponedTasksAreBounded() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        let limit = Int64(Self.room.tasks)
        for number in 0..<limit { #expect(state.postpone(QueuedTask(task(number)), at: Self.noon).isEmpty) }
        #expect(words(state.postpone(QueuedTask(task(limit)), at: Self.noon)) == ["page out \(limit)"])
        #expect(state.postponedCount == Int(limit))
        // A page would only bring more tasks to postpone, so none is read. New tasks are still matched.
        #expect(words(state.backlogStored()) == [])
        #expect(words(state.offer(task(5_000), at: Self.noon)) == [])
        #expect(words(state.poll(poll(1), isSticky: false, at: Self.noon)) == ["match 5000 to 1"])
        // Once there is room, the next page is requested.
        #expect(
            words(state.poll(poll(2), isSticky: false, at: seconds(1))) == ["match 0 to 2", "page in \(limit)"]
        )
        // A sticky task is abandoned instead of paged out.
        var sticky = TaskQueueState(Self.queue, room: Self.room)
        for number in 0..<limit { _ = sticky.postpone(QueuedTask(task(number, isSticky: true)), at: Self.noon) }
        #expect(words(sticky.postpone(QueuedTask(task(limit, isSticky: true)), at: Self.noon)) == ["abandon \(limit)"])
        #expect(sticky.shutDown().count == Int(limit))
        #expect(sticky.postponedCount == 0)
    }

    @Test func postponedTasksOfALostWorkerAreAbandoned() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        _ = state.poll(poll(1), isSticky: true, at: Self.noon)
        _ = state.cancel(1, at: Self.noon)
        _ = state.postpone(QueuedTask(query(1, isSticky: true)), at: Self.noon)
        _ = state.postpone(QueuedTask(task(2, isSticky: true)), at: Self.noon)
        #expect(words(state.step(at: seconds(11))) == ["abandon query 1"])
        #expect(!state.isIdle(at: seconds(400)))
        #expect(words(state.step(at: seconds(400))) == ["abandon 2"])
        #expect(state.isIdle(at: seconds(400)))
    }

    @Test func theQueueWakesInTimeForEveryDeadline() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        #expect(words(state.step(at: Self.noon)) == [])
        #expect(state.wakeAt > Self.noon)
        _ = state.poll(poll(1, deadline: seconds(60)), isSticky: false, at: Self.noon)
        _ = state.poll(poll(2, deadline: seconds(30)), isSticky: false, at: Self.noon)
        #expect(state.wakeAt <= seconds(30))
        #expect(words(state.step(at: seconds(30))) == ["end 2"])
        #expect(state.wakeAt > seconds(30) && state.wakeAt <= seconds(60.001))
        // A waiting poll makes the queue wake for the postponed task.
        _ = state.postpone(QueuedTask(task(1)), at: seconds(31))
        #expect(state.wakeAt <= seconds(31.25))
    }

    @Test func aStickyQueueIsAbandonedWithItsLastConnection() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        // No poll waits while the worker executes a task.
        for connection: UInt64 in [7, 8] {
            _ = state.poll(poll(connection, connection: connection), isSticky: true, at: Self.noon)
            _ = state.cancel(connection, at: Self.noon)
        }
        #expect(words(state.offer(task(1, isSticky: true), at: Self.noon)) == [])
        #expect(words(state.connectionEnded(7)) == [])
        #expect(words(state.connectionEnded(7)) == [])
        #expect(words(state.connectionEnded(9)) == [])
        #expect(words(state.connectionEnded(8)) == ["abandon 1"])
        #expect(words(state.offer(task(2, isSticky: true), at: Self.noon)) == ["abandon 2"])
        #expect(words(state.postpone(QueuedTask(task(3, isSticky: true)), at: Self.noon)) == ["abandon 3"])
        // The worker lost only its connection and polls on another one.
        #expect(words(state.poll(poll(10, connection: 10), isSticky: true, at: Self.noon)) == [])
        #expect(words(state.offer(task(4, isSticky: true), at: Self.noon)) == ["match 4 to 10"])
        #expect(words(state.offer(task(5, isSticky: true), at: Self.noon)) == [])
        #expect(words(state.connectionEnded(10)) == ["abandon 5"])
        // A worker that has shut down does not return.
        #expect(words(state.shutDown()) == [])
        #expect(words(state.poll(poll(11, connection: 11), isSticky: true, at: Self.noon)) == ["end 11"])
    }

    @Test func aNormalQueueKeepsItsTasksWhenConnectionsEnd() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        _ = state.poll(poll(1, connection: 7), isSticky: false, at: Self.noon)
        _ = state.cancel(1, at: Self.noon)
        #expect(words(state.offer(task(1), at: Self.noon)) == [])
        #expect(words(state.connectionEnded(7)) == [])
        #expect(state.taskCount == 1)
    }

    @Test func pollsEndAtTheirDeadlineOnCancellationAndOnShutdown() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        _ = state.poll(poll(1, deadline: Self.noon + .seconds(1)), isSticky: false, at: Self.noon)
        _ = state.poll(poll(2), isSticky: false, at: Self.noon)
        _ = state.poll(poll(3, identity: "another"), isSticky: false, at: Self.noon)
        #expect(words(state.step(at: Self.noon)) == [])
        #expect(words(state.step(at: Self.noon + .seconds(1))) == ["end 1"])
        #expect(words(state.cancel(1, at: Self.noon)) == [])
        #expect(words(state.cancel(2, at: Self.noon)) == ["end 2"])
        #expect(words(state.endPolls(of: departing("worker"))) == [])
        #expect(words(state.endPolls(of: departing("another"))) == ["end 3"])
        #expect(words(state.offer(task(1), at: Self.noon)) == [])
        #expect(state.taskCount == 1 && state.pollCount == 0)
    }

    /// Workers of one process share an identity, and users give many machines the same one.
    @Test func shutdownEndsThePollsOfOneInstance() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        for (id, key) in [(1, "mine"), (2, "yours"), (3, "")] as [(UInt64, String)] {
            _ = state.poll(poll(id, key: key), isSticky: false, at: Self.noon)
        }
        _ = state.poll(poll(4, identity: "another", key: "mine"), isSticky: false, at: Self.noon)
        #expect(Set(words(state.endPolls(of: departing("worker", key: "mine")))) == ["end 1", "end 3", "end 4"])
        #expect(state.pollCount == 1)
        // A worker without an instance key is matched by its identity alone.
        #expect(words(state.endPolls(of: departing("worker"))) == ["end 2"])
    }

    @Test func aStickyQueueWithoutItsWorkerAbandonsItsTasks() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        #expect(words(state.offer(task(1, isSticky: true), at: Self.noon)) == ["abandon 1"])
        _ = state.poll(poll(1), isSticky: true, at: Self.noon)
        _ = state.cancel(1, at: Self.noon)
        // The worker polled a moment ago.
        #expect(words(state.offer(task(2, isSticky: true), at: Self.noon + .seconds(9))) == [])
        #expect(words(state.offer(task(3, isSticky: true), at: Self.noon + .seconds(11))) == ["abandon 3"])
        #expect(words(state.poll(poll(2), isSticky: true, at: Self.noon + .seconds(12))) == ["match 2 to 2"])
        // The tasks of a worker that does not return are abandoned in the end.
        _ = state.offer(task(4, isSticky: true), at: Self.noon + .seconds(13))
        #expect(words(state.step(at: Self.noon + .seconds(100))) == [])
        #expect(!state.isIdle(at: Self.noon + .seconds(400)))
        #expect(words(state.step(at: Self.noon + .seconds(400))) == ["abandon 4"])
        #expect(state.isIdle(at: Self.noon + .seconds(400)))
    }

    @Test func aStickyQueryDoesNotWaitForALostWorker() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        _ = state.poll(poll(1), isSticky: true, at: Self.noon)
        _ = state.cancel(1, at: Self.noon)
        // The worker polled a moment ago.
        #expect(words(state.offer(query(1, isSticky: true), at: Self.noon)) == [])
        #expect(words(state.offer(task(2, isSticky: true), at: Self.noon)) == [])
        #expect(words(state.step(at: Self.noon + .seconds(10))) == [])
        #expect(words(state.step(at: Self.noon + .seconds(11))) == ["abandon query 1"])
        // A workflow task has its own timeout.
        #expect(state.taskCount == 1)
        // A query on a normal queue waits as long as its caller does.
        var normal = TaskQueueState(Self.queue, room: Self.room)
        _ = normal.offer(query(3), at: Self.noon)
        #expect(words(normal.step(at: Self.noon + .seconds(11))) == [])
    }

    @Test func shutdownEndsPollsAndAbandonsTasks() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        _ = state.poll(poll(1), isSticky: true, at: Self.noon)
        _ = state.cancel(1, at: Self.noon)
        _ = state.offer(task(1, isSticky: true), at: Self.noon)
        #expect(words(state.shutDown()) == ["abandon 1"])
        #expect(words(state.offer(task(2, isSticky: true), at: Self.noon)) == ["abandon 2"])
        #expect(words(state.postpone(QueuedTask(task(3, isSticky: true)), at: Self.noon)) == ["abandon 3"])
        #expect(words(state.poll(poll(2), isSticky: true, at: Self.noon)) == ["end 2"])
        var other = TaskQueueState(Self.queue, room: Self.room)
        _ = other.poll(poll(3), isSticky: true, at: Self.noon)
        #expect(words(other.shutDown()) == ["end 3"])
    }

    @Test func aFullQueuePagesTasksOutAndBackIn() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        let limit = Int64(Self.room.tasks)
        for number in 0..<limit { #expect(state.offer(task(number), at: Self.noon).isEmpty) }
        #expect(words(state.offer(task(limit), at: Self.noon)) == ["page out \(limit)"])
        #expect(state.taskCount == Int(limit))
        #expect(words(state.backlogStored()) == [])
        for number in 0..<limit / 2 {
            #expect(
                words(state.poll(poll(UInt64(number)), isSticky: false, at: Self.noon)) == [
                    "match \(number) to \(number)"
                ]
            )
            // New tasks wait behind those in the database.
            #expect(words(state.offer(task(9_999), at: Self.noon)) == ["page out 9999"])
        }
        let asked = words(state.poll(poll(1), isSticky: false, at: Self.noon))
        #expect(asked == ["match \(limit / 2) to 1", "page in \(limit / 2 + 1)"])
        // One page is read at a time, and its tasks are accepted.
        #expect(words(state.poll(poll(2), isSticky: false, at: Self.noon)) == ["match \(limit / 2 + 1) to 2"])
        #expect(words(state.offer(task(limit), at: Self.noon)) == [])
        // More tasks were stored while the page was read, so another page follows whatever this one says.
        #expect(words(state.backlogStored()) == [])
        #expect(words(state.backlogPaged(next: nil)) == ["page in \(limit / 2 + 1)"])
        #expect(words(state.backlogPaged(next: nil)) == [])
        #expect(words(state.offer(task(5), at: Self.noon)) == [])
    }

    @Test func queriesAreNotStoredInTheBacklog() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        for number in 0..<Int64(Self.room.tasks) { _ = state.offer(task(number), at: Self.noon) }
        _ = state.backlogStored()
        #expect(words(state.offer(query(1), at: Self.noon)) == [])
        #expect(state.taskCount == Self.room.tasks + 1)
        // Their number is bounded, too.
        for number in 2...UInt64(Self.room.tasks) { _ = state.offer(query(number), at: Self.noon) }
        #expect(words(state.offer(query(9_999), at: Self.noon)) == ["page out query 9999"])
        #expect(state.taskCount == 2 * Self.room.tasks)
    }

    @Test func anUnusedQueueBecomesIdle() {
        var state = TaskQueueState(Self.queue, room: Self.room)
        #expect(state.isIdle(at: Self.noon))
        _ = state.poll(poll(1), isSticky: false, at: Self.noon)
        #expect(!state.isIdle(at: Self.noon + .seconds(1_000)))
        _ = state.cancel(1, at: Self.noon)
        #expect(!state.isIdle(at: Self.noon + .seconds(299)))
        #expect(state.isIdle(at: Self.noon + .seconds(301)))
        // A queue with a backlog is not idle.
        _ = state.backlogStored()
        #expect(!state.isIdle(at: Self.noon + .seconds(1_000)))
    }

    @Test func fifoKeepsItsOrderUnderRandomOperations() {
        var fifo = FIFO<Int>()
        var expected: [Int] = []
        var state: UInt64 = 7
        for step in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            switch (state >> 33) % 20 {
            case 0..<9:
                fifo.append(step)
                expected.append(step)
            case 9:
                fifo.prepend(step)
                expected.insert(step, at: 0)
            case 10 where step % 50 == 0:
                fifo.removeAll { $0 % 3 == 0 }
                expected.removeAll { $0 % 3 == 0 }
            default:
                #expect(fifo.popFirst() == (expected.isEmpty ? nil : expected.removeFirst()))
            }
            #expect(fifo.count == expected.count)
        }
    }
}
