public import SagamoreEngine

/// What workers did and were told: the outside world, in which activities take effect.
///
/// Unchecked: the whole world runs in one thread.
public final class ActivityLedger: @unchecked Sendable {
    /// What workers know of one run.
    struct Run {
        /// Attempts that a worker began.
        var attempts: [Attempt] = []
        /// Activities whose completion was acknowledged, by the ids of their ActivityTaskScheduled.
        var completed: [Int64] = []
        /// The attempts that were acknowledged, beside `completed`.
        var completedAttempts: [Int32] = []
        /// Workflow tasks whose completion was acknowledged, by the ids of their WorkflowTaskStarted.
        var completedTasks: [Int64] = []
        /// Whether the database lost what it knew of the run. Then effects say nothing.
        var isUncertain = false
    }

    /// An attempt of an activity in the hands of a worker.
    struct Attempt {
        let scheduledEventID: Int64
        let attempt: Int32
        let nonce: UInt64
        let ordinal: Int
        let isUndo: Bool
        let worker: String
        let life: Int
        /// Whether it took effect.
        var hasEffect = false
    }

    private var runs: [RunID: Run] = [:]
    private var heartbeats = HeartbeatLedger()
    private let violation: (String) -> Void
    /// The number of attempts that took effect.
    public private(set) var effects = 0
    /// The number of attempts that began.
    public private(set) var attempts = 0

    /// - Parameter violation: is told what must not be.
    public init(violation: @escaping (String) -> Void) { self.violation = violation }

    /// How long the service may have details of heartbeats in memory only. Nil, the default: it promises nothing.
    public var heartbeatGrace: Interval? {
        get { heartbeats.grace }
        set { heartbeats.grace = newValue }
    }

    /// Notes that a server lost what it had in memory only.
    public func memoryWasLost(at now: Instant) { heartbeats.memoryWasLost(at: now) }

    /// Notes that the service accepted a heartbeat with these details.
    func acknowledgedHeartbeat(_ token: ActivityTaskToken, _ details: Int, sentAt: Instant, at now: Instant) {
        heartbeats.acknowledged(token, details, sentAt: sentAt, at: now)
    }

    /// What is known of a run.
    func run(_ id: RunID) -> Run { runs[id] ?? Run() }

    /// Forgets what was acknowledged.
    func forget() {
        heartbeats.forget()
        // The order of the dictionary does not matter: all are changed alike.
        for id in runs.keys {
            runs[id]?.completed = []
            runs[id]?.completedAttempts = []
            runs[id]?.completedTasks = []
            runs[id]?.isUncertain = true
        }
    }

    /// Notes that a worker begins an attempt. Returns nil when this very worker has begun it already, which it does
    /// when an answer with eager activities comes twice; else the number for ``tookEffect(_:of:)``.
    ///
    /// - Parameter details: of the last heartbeat of an earlier attempt, as the worker received them.
    func began(
        _ token: ActivityTaskToken,
        _ input: ActivityInput,
        details: Int?,
        worker: String,
        life: Int
    ) -> Int? {
        if let known = runs[token.runID]?.attempts.first(where: {
            $0.nonce == token.nonce && $0.scheduledEventID == token.scheduledEventID && $0.attempt == token.attempt
        }) {
            if known.worker != worker || known.life != life {
                violation(
                    "attempt \(token.attempt) of activity \(token.scheduledEventID) of run \(token.runID) was given to "
                        + "\(known.worker) in its life \(known.life) and to \(worker) in its life \(life)"
                )
            }
            return nil
        }
        if let required = heartbeats.required(by: token), details ?? -1 < required {
            violation(
                "attempt \(token.attempt) of activity \(token.scheduledEventID) of run \(token.runID) received the "
                    + "heartbeat \(details.map { "\($0)" } ?? "none"), but \(required) was acknowledged before"
            )
        }
        if let run = runs[token.runID], let index = run.completed.firstIndex(of: token.scheduledEventID),
            run.completedAttempts[index] < token.attempt
        {
            violation(
                "attempt \(token.attempt) of activity \(token.scheduledEventID) of run \(token.runID) began, but the "
                    + "completion of attempt \(run.completedAttempts[index]) was acknowledged"
            )
        }
        attempts += 1
        let attempt = Attempt(
            scheduledEventID: token.scheduledEventID,
            attempt: token.attempt,
            nonce: token.nonce,
            ordinal: input.ordinal,
            isUndo: input.isUndo,
            worker: worker,
            life: life
        )
        runs[token.runID, default: Run()].attempts.append(attempt)
        return (runs[token.runID]?.attempts.count ?? 0) - 1
    }

    /// Notes that an attempt took effect.
    func tookEffect(_ number: Int, of run: RunID) {
        effects += 1
        runs[run]?.attempts[number].hasEffect = true
    }

    /// Notes that the service accepted the completion of an activity.
    func acknowledged(_ token: ActivityTaskToken) {
        runs[token.runID, default: Run()].completed.append(token.scheduledEventID)
        runs[token.runID]?.completedAttempts.append(token.attempt)
    }

    /// Notes that the service accepted the completion of a workflow task.
    func acknowledgedTask(_ run: RunID, startedEventID: Int64) {
        runs[run, default: Run()].completedTasks.append(startedEventID)
    }
}
