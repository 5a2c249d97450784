import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreLogging
import SagamoreProtobuf
import SagamoreServices
import Testing

@testable import SagamoreMatchingService

/// Replies and threads of the service, against a scripted History. The history service's suite tests Matching with the
/// real one.
@Suite(.serialized) struct MatchingServiceTests {
    private let history = ScriptedHistory()
    private let queue = TaskQueueKey(namespace: 1, name: "travel", kind: .activity)
    private let room = QueueRoom(tasks: 2_000, bytes: .max)

    private func service() -> MatchingService {
        let service = MatchingService(
            history: history,
            clock: { SystemTime.now },
            log: Logger(label: "test"),
            room: room,
            afterHold: nil
        )
        service.start()
        return service
    }

    private func task(_ number: Int64) -> MatchingTask {
        MatchingTask(
            queue: queue,
            key: WorkflowKey(namespace: 1, workflowID: "one"),
            runID: RunID(high: 1, low: 1),
            kind: .activity(scheduledEventID: number, attempt: 1)
        )
    }

    private func poll(_ service: MatchingService, seconds: Int64 = 3_600) -> (PollHandle, Ended) {
        let ended = Ended()
        let handle = service.pollActivityTask(
            queue,
            poller: PollerIdentity(identity: "worker", requestID: "", buildID: ""),
            deadline: SystemTime.now + .seconds(seconds),
            reply: Reply { ended.set($0.map { _ in () }) }
        )
        return (handle, ended)
    }

    private func eventually(_ location: SourceLocation = #_sourceLocation, _ condition: () -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !condition() {
            try #require(ContinuousClock.now < deadline, "waited for half a minute", sourceLocation: location)
            usleep(1_000)
        }
    }

    @Test func canonicallyEquivalentNamesAreTwoQueues() {
        // The last name begins with a combining accent. It must not combine with the slash before it in the stored
        // form.
        let keys = ["caf\u{E9}", "cafe\u{301}", "\u{301}/a"].map {
            TaskQueueKey(namespace: 1, name: $0, kind: .activity)
        }
        #expect(Set(keys + keys).count == 3)
        #expect(keys.compactMap { TaskQueueKey(storedName: $0.storedName) } == keys)
        #expect(keys[0] != TaskQueueKey(namespace: 1, name: "caf\u{E9}", kind: .workflow))
    }

    @Test func aPollEndsAtItsDeadlineOnCancellationAndWhenTheServiceStops() throws {
        let service = service()
        let (_, timely) = poll(service, seconds: 0)
        try eventually { timely.isSuccess }
        let (handle, cancelled) = poll(service)
        service.cancelPoll(handle)
        #expect(cancelled.isSuccess)
        let (_, last) = poll(service)
        #expect(!last.isSet)
        service.stop()
        #expect(last.isSuccess)
        let (_, late) = poll(service)
        #expect(late.isSuccess)
    }

    @Test func aStaleTaskIsDroppedAndThePollKeepsWaiting() throws {
        let service = service()
        defer { service.stop() }
        let (_, ended) = poll(service)
        service.offer(task(1))
        #expect(history.started == [1] && !ended.isSet)
        service.offer(task(2))
        #expect(history.started == [1, 2] && !ended.isSet)
    }

    @Test func aTaskThatHistoryCannotStartIsRetriedAfterTheOthers() throws {
        let service = service()
        defer { service.stop() }
        history.verdict = { id in id == 1 ? .unavailable("later") : .activityTaskNotFound }
        service.offer(task(1))
        service.offer(task(2))
        let (_, ended) = poll(service)
        #expect(history.started == [1, 2] && !ended.isSet)
        // The waiting poll gets the task again without another call.
        try eventually { history.started.count(where: { $0 == 1 }) >= 3 }
        #expect(!ended.isSet)
        service.stop()
        #expect(ended.isSuccess)
    }

    @Test func aCancelledPollReturnsATaskThatCouldNotBeStarted() throws {
        let service = service()
        defer { service.stop() }
        history.isSlow = true
        let (handle, ended) = poll(service)
        service.offer(task(1))
        service.cancelPoll(handle)
        history.answer(.unavailable("later"))
        #expect(ended.isSuccess)
        history.isSlow = false
        history.verdict = { _ in .activityTaskNotFound }
        let (_, next) = poll(service)
        try eventually { history.started == [1, 1] }
        #expect(!next.isSet)
    }

    /// Nested, thousands of tries would overflow a thread's stack.
    @Test func manyStaleTasksAreTriedWithoutRecursion() throws {
        let service = service()
        defer { service.stop() }
        let numbers = (0..<room.tasks).map { Int64($0) }
        for number in numbers { service.offer(task(number)) }
        let (_, ended) = poll(service)
        #expect(history.started == numbers)
        #expect(history.deepestStart == 1)
        #expect(!ended.isSet)
        service.offer(task(5_000))
        #expect(history.started.last == 5_000 && !ended.isSet)
    }

    @Test func shutdownAlsoEndsAPollWhoseTaskIsBeingStarted() throws {
        let service = service()
        defer { service.stop() }
        history.isSlow = true
        let (_, ended) = poll(service)
        service.offer(task(1))
        service.offer(task(2))
        service.workerShutDown(DepartingWorker(namespace: 1, stickyQueue: "mine", identity: "worker"))
        // The poll is waiting for this start. It gets no other task if the first is stale.
        #expect(!ended.isSet)
        history.answer(.activityTaskNotFound)
        #expect(ended.isSuccess)
        #expect(history.started == [1])
    }

    @Test func aPollCancelledWhileItsTaskIsBeingStartedTakesNoOtherTask() throws {
        let service = service()
        defer { service.stop() }
        history.isSlow = true
        let (handle, ended) = poll(service)
        service.offer(task(1))
        service.offer(task(2))
        // The client cancels while the task is being started. The task then turns out to be stale.
        service.cancelPoll(handle)
        #expect(!ended.isSet)
        history.answer(.activityTaskNotFound)
        #expect(ended.isSuccess)
        #expect(history.started == [1])
        let (_, next) = poll(service)
        #expect(history.started == [1, 2] && !next.isSet)
    }

    @Test func cancelledPollsTakeNoTask() throws {
        let service = service()
        defer { service.stop() }
        for _ in 0..<5_000 {
            let (handle, ended) = poll(service)
            service.cancelPoll(handle)
            #expect(ended.isSuccess)
        }
        history.verdict = { _ in .unavailable("no") }
        service.offer(task(1))
        #expect(history.started.isEmpty)
    }

    @Test func idlePollsUseNoProcessorTime() throws {
        let service = service()
        defer { service.stop() }
        let polls = (0..<2_000).map { _ in poll(service).1 }
        // A thread has its name only once it runs.
        let deadline = ContinuousClock.now + .seconds(60)
        var began = SystemTime.threadsTime(named: "matching-timer")
        while began == nil, .now < deadline {
            usleep(1_000)
            began = SystemTime.threadsTime(named: "matching-timer")
        }
        try #require(began != nil)
        usleep(2_000_000)
        let ended = SystemTime.threadsTime(named: "matching-timer")
        let spent = (ended ?? 0) - (began ?? 0)
        // In ticks of 10 ms. A debug build may use two percent.
        #expect(spent <= 4, "2,000 idle polls took \(spent * 10) ms in 2 s")
        #expect(polls.allSatisfy { !$0.isSet })
    }

    @Test func shutdownEndsTheWorkersPollsOnAllQueues() throws {
        let service = service()
        defer { service.stop() }
        let (_, ended) = poll(service)
        service.workerShutDown(DepartingWorker(namespace: 2, stickyQueue: "", identity: "worker"))
        service.workerShutDown(DepartingWorker(namespace: 1, stickyQueue: "", identity: "another"))
        #expect(!ended.isSet)
        service.workerShutDown(DepartingWorker(namespace: 1, stickyQueue: "mine", identity: "worker"))
        #expect(ended.isSuccess)
    }

    @Test func backlogsArePagedByTheQueueThatNeedsThem() throws {
        let service = service()
        defer { service.stop() }
        for number in 0..<room.tasks { service.offer(task(Int64(number))) }
        service.offer(task(5_000))
        #expect(history.pagedOut == [5_000])
        service.backlogStored(queue)
        history.verdict = { _ in .unavailable("no") }
        #expect(history.pagedIn.isEmpty)
        let other = TaskQueueKey(namespace: 1, name: "other", kind: .activity)
        service.backlogStored(other)
        #expect(history.pagedIn == [other])
        service.backlogPaged(other, next: .front)
        #expect(history.pagedIn == [other, other])
        service.backlogPaged(other, next: nil)
        #expect(history.pagedIn == [other, other])
    }
}

enum SystemTime {
    static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The processor time of the threads with this name, in ticks; nil when there is none.
    static func threadsTime(named name: String) -> Int? {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        var sum: Int?
        for thread in threads {
            let path = "/proc/self/task/\(thread)"
            guard let comm = try? String(contentsOfFile: "\(path)/comm", encoding: .utf8),
                comm.trimmingCharacters(in: .whitespacesAndNewlines) == name.prefix(15),
                let stat = try? String(contentsOfFile: "\(path)/stat", encoding: .utf8)
            else { continue }
            let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
            guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else { continue }
            sum = (sum ?? 0) + user + system
        }
        return sum
    }
}

/// The outcome of a poll.
final class Ended: @unchecked Sendable {
    private let lock = NSLock()
    private var outcome: Result<Void, RequestError>?

    func set(_ outcome: Result<Void, RequestError>) { lock.withLock { self.outcome = outcome } }
    var isSet: Bool { lock.withLock { outcome != nil } }
    var isSuccess: Bool { lock.withLock { if case .success? = outcome { true } else { false } } }
}
