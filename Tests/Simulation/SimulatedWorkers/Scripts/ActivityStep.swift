public import SagamoreEngine

/// An activity of a script: what it does, with which options, and what undoes it.
public struct ActivityStep: Equatable, Sendable {
    /// What its attempts do.
    public var plan = ActivityPlan()
    /// What undoes it; nil when nothing has to be undone.
    public var undo: ActivityPlan?
    /// Whether its first attempt is wanted in the answer to the workflow task.
    public var isEager = false
    /// The most attempts; 0 means no limit.
    public var maximumAttempts = 0
    /// The pause after the first failed attempt. It doubles with each further one, up to a hundredfold.
    public var retryInterval = Interval.milliseconds(100)
    /// The limit for one attempt.
    public var startToClose = Interval.seconds(10)
    /// The limit for the wait in the task queue; zero means none.
    public var scheduleToStart = Interval.zero
    /// The limit for all attempts together; zero means none.
    public var scheduleToClose = Interval.zero
    /// The limit between two heartbeats; zero means none.
    public var heartbeatTimeout = Interval.zero

    /// An activity that succeeds, and that nothing undoes.
    public init(_ plan: ActivityPlan = ActivityPlan(), undo: ActivityPlan? = nil) {
        self.plan = plan
        self.undo = undo
    }

    /// Whether it fails even without faults.
    var isExpectedToFail: Bool {
        plan.end != .succeeds || (maximumAttempts > 0 && plan.failures >= maximumAttempts)
    }

    /// The options for its undo: it is repeated until it succeeds.
    var undoing: ActivityStep {
        var step = ActivityStep(undo ?? ActivityPlan())
        step.isEager = isEager
        step.retryInterval = retryInterval
        return step
    }
}

/// What the attempts of an activity do. It is a part of the activity's input, so every worker knows it.
public struct ActivityPlan: Equatable, Sendable {
    /// How the last attempt ends.
    public enum End: UInt8, Equatable, Sendable {
        /// With a result.
        case succeeds
        /// With a failure that is not retried.
        case fails
        /// Never: its worker forgets it, and it times out.
        case neverAnswers
    }

    /// How the attempts after the failed ones end.
    public var end = End.succeeds
    /// The number of attempts that fail before, in a way that is retried.
    public var failures = 0
    /// The heartbeats of each attempt.
    public var heartbeats = 0
    /// Whether the heartbeats have details.
    public var hasDetails = false
    /// Whether it goes on when it is told that it is cancelled.
    public var ignoresCancel = false
    /// About how long each attempt takes, in milliseconds.
    public var milliseconds = 5

    /// A plan that succeeds at once.
    public init() {}

    /// A plan that ends like this after some failed attempts.
    public init(_ end: End, failures: Int = 0) {
        self.end = end
        self.failures = failures
    }
}
