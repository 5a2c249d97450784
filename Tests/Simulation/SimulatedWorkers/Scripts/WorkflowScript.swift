public import SagamoreEngine

/// The code of a workflow as a value: steps that take effect together or not at all.
///
/// Steps run one after another. When one fails, or the run is cancelled, the steps that were tried are undone in
/// reverse order. A script is the input of its run, so every worker can replay it.
public struct WorkflowScript: Equatable, Sendable {
    /// What the code does, in order.
    public var steps: [Step]
    /// What follows the last step.
    public var ending: Ending

    /// One step of the code. Later features of the service are further cases.
    public indirect enum Step: Equatable, Sendable {
        /// Runs an activity and waits for its end.
        case activity(ActivityStep)
        /// Waits.
        case timer(Interval)
        /// Waits for a signal with this number, unless one has arrived that no step has used.
        case signal(Int)
        /// Records a marker, as a side effect does.
        case marker(Int)
        /// Changes the memo.
        case memo(Int)
        /// Runs an activity, and cancels it after this time. It is no failure when it is cancelled.
        case race(ActivityStep, Interval)
        /// Runs another script as a child workflow and waits for its end. The number makes the child's id, and its
        /// parent close policy.
        case child(Int, WorkflowScript)
        /// Sends a signal to the child with this number, and waits until it has arrived or cannot arrive.
        case tell(Int, signal: Int)
        /// Does all at once and waits until each has ended.
        case parallel([Step])
    }

    /// What follows the last step.
    public enum Ending: UInt8, Equatable, Sendable {
        /// The run completes.
        case completes
        /// All steps are undone, and the run fails.
        case fails
        /// The run continues as new with the same steps, and the next run completes.
        case continues
    }

    /// The script of the run that follows this one, if it continues as new.
    public var next: WorkflowScript { WorkflowScript(steps: steps) }

    /// A script with these steps.
    public init(steps: [Step] = [], ending: Ending = .completes) {
        self.steps = steps
        self.ending = ending
    }

    /// The activities in the order in which they stand in the script. Their places are their ordinals.
    public var activities: [ActivityStep] {
        var found: [ActivityStep] = []
        Self.collect(steps, &found)
        return found
    }

    /// The numbers of the signals that it waits for, in order.
    public var signals: [Int] {
        var found: [Int] = []
        for step in steps {
            switch step {
            case .signal(let number): found.append(number)
            case .parallel(let steps): found += WorkflowScript(steps: steps).signals
            default: break
            }
        }
        return found
    }

    /// Whether it comes to its end without a failure, as long as no fault gets in the way.
    public var isExpectedToFinish: Bool {
        ending != .fails && !steps.contains(where: \.isExpectedToFail)
    }

    private static func collect(_ steps: [Step], _ found: inout [ActivityStep]) {
        for step in steps {
            switch step {
            case .activity(let activity), .race(let activity, _): found.append(activity)
            case .parallel(let steps): collect(steps, &found)
            case .timer, .signal, .marker, .memo, .child, .tell: break
            }
        }
    }
}

extension WorkflowScript.Step {
    fileprivate var isExpectedToFail: Bool {
        switch self {
        case .activity(let activity): activity.isExpectedToFail
        case .parallel(let steps): steps.contains(where: \.isExpectedToFail)
        // Another run may have its id.
        case .child(_, let script): !script.isExpectedToFinish
        case .race, .timer, .signal, .marker, .memo, .tell: false
        }
    }

    /// How many activities it contains.
    var activityCount: Int {
        switch self {
        case .activity, .race: 1
        case .parallel(let steps): steps.reduce(0) { $0 + $1.activityCount }
        case .timer, .signal, .marker, .memo, .child, .tell: 0
        }
    }
}
