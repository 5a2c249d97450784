import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf

/// A saga of three eager activities, as a worker on an official SDK runs it. The engine decides 12 of its 13 calls; the
/// other waits for the history. Each decision is applied and encoded as a journal row.
enum SagaBenchmark {
    static func microsecondsPerSaga() -> Double {
        let count = 1_000
        return leastMicroseconds(per: count) {
            (0..<count).map { _ in Saga() }
        } _: { sagas in
            for saga in sagas { saga.run() }
        }
    }

    /// The 23 events of the saga.
    static func history() -> [RecordedEvent] {
        let saga = Saga()
        saga.run()
        return saga.written
    }
}

/// Requests are created in advance; only the server's work is measured.
private final class Saga {
    private var execution = SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID)
    private var now = Samples.noon
    private(set) var written: [RecordedEvent] = []
    private var rowBytes = 0
    private let start: StartRequest
    private let completions: [RespondWorkflowTaskCompletedRequest]
    private let result = Samples.payloads("booked")

    init() {
        guard let start = try? Samples.start() else { preconditionFailure("the sample start was refused") }
        self.start = start
        completions = (0..<4).map { step in
            var request = RespondWorkflowTaskCompletedRequest()
            request.identity = "1234@worker"
            request.commands = [
                step == 3 ? Samples.complete() : Samples.schedule("\(step)") { $0.requestEagerExecution = true }
            ]
            var sticky = StickyExecutionAttributes()
            sticky.workerTaskQueue = Samples.queue("1234@worker-0190a1b2c3d4")
            sticky.scheduleToStartTimeout = Interval.seconds(10).duration
            request.stickyAttributes = sticky
            return request
        }
    }

    func run() {
        commit(execution.decide(start, at: now))
        for (step, completion) in completions.enumerated() {
            let started = poll(nonce: UInt64(step + 1))
            let token = Stage.token(of: started)
            let request = WorkflowTaskCompletedRequest(token: token, request: completion)
            perform { execution throws(RequestError) in try execution.decide(request, nextNonce: 0, at: now) }
            guard step < 3, let id = execution.durable.activities.keys.first else { continue }
            let activity = ActivityTaskToken(
                key: Samples.key,
                runID: Samples.runID,
                scheduledEventID: id,
                attempt: 1,
                nonce: execution.durable.activities[id]?.startedNonce ?? 0
            )
            perform { execution throws(RequestError) in
                try execution.decide(completed: activity, result: result, identity: "1234@worker", at: now)
            }
        }
        precondition(!execution.isRunning && execution.durable.lastEventID == 23, "the saga did not end")
    }

    private func poll(nonce: UInt64) -> StartedWorkflowTask? {
        let task = execution.durable.workflowTask
        let request = WorkflowTaskStartRequest(
            stamp: WorkflowTaskStamp(scheduledEventID: task?.scheduledEventID ?? 0, attempt: task?.attempt ?? 0),
            isSticky: nonce > 1,
            identity: "1234@worker",
            requestID: "0190a1b2-c3d4-7000-8000-000000000000",
            nonce: nonce,
            epoch: 1
        )
        perform { execution throws(RequestError) in try execution.decide(request, at: now) }
        return execution.volatile.startedTask
    }

    private func perform(_ decide: (borrowing SagamoreEngine.Execution) throws(RequestError) -> Decision) {
        do {
            commit(try decide(execution))
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private func commit(_ decision: Decision) {
        now = now + .milliseconds(1)
        for entry in decision.entries {
            execution.apply(entry)
            if case .event(let recorded) = entry { written.append(recorded) }
        }
        rowBytes += JournalRow(decision)?.events.count ?? 0
    }
}

/// The history of the saga, as events and as bytes.
struct HistoryBytes {
    let events: [HistoryEvent]
    let bytes: [UInt8]
    private let repetitions = 1_000

    init() {
        let recorded = SagaBenchmark.history()
        events = recorded.map(\.event)
        bytes = recorded.flatMap(\.frame)
    }

    /// Encodes every event as a frame.
    func encodeMicroseconds() -> Double {
        leastMicroseconds(per: repetitions) {
        } _: {
            var total = 0
            for _ in 0..<repetitions {
                for event in events { total += RecordedEvent(event).frame.count }
            }
            precondition(total == repetitions * bytes.count, "unexpected size")
        }
    }

    /// Decodes the bytes to entries.
    func decodeMicroseconds() -> Double {
        measure { (try? HistoryFrames.entries(events: bytes, facts: []).count) ?? 0 }
    }

    /// Walks the frames without decoding them.
    func walkMicroseconds() -> Double {
        measure { (try? HistoryFrames.ends(bytes).count) ?? 0 }
    }

    private func measure(_ count: () -> Int) -> Double {
        leastMicroseconds(per: repetitions) {
        } _: {
            var total = 0
            for _ in 0..<repetitions { total += count() }
            precondition(total == repetitions * events.count, "unexpected number of events")
        }
    }
}
