public import SagamoreEngine
public import SagamoreSimulatedTime

/// How often the parts of a script occur. Rates are from 0 (never) to 1 (always).
public struct ScriptMix: Sendable {
    /// The most steps.
    public var mostSteps = 4
    /// Steps that are not a single activity, by their kinds.
    public var timers = 0.08
    public var signals = 0.08
    public var markers = 0.05
    public var memos = 0.03
    public var races = 0.05
    public var parallels = 0.10
    /// Scripts within scripts, as child workflows. Not every service has them.
    public var children = 0.0
    /// Children that their parents send signals.
    public var told = 0.0
    /// Children that continue as new after their last step.
    public var chains = 0.0
    /// Activities that fail in a way that is not retried.
    public var finalFailures = 0.04
    /// Activities that never answer, and time out.
    public var silences = 0.02
    /// Activities that fail some times first.
    public var retries = 0.12
    /// Activities with heartbeats.
    public var heartbeats = 0.10
    /// Activities that are wanted eagerly.
    public var eager = 0.5
    /// Activities that are undone when the saga fails.
    public var undos = 0.8
    /// Scripts that fail after their last step.
    public var failures = 0.04
    /// The longest timer.
    public var longestTimer = Interval.seconds(20)

    /// The usual mix: most sagas finish in well under a second.
    public init() {}
}

extension WorkflowScript {
    /// The number of different signals in random scripts.
    public static let signalCount = 3

    /// A script by chance.
    public static func random(using random: inout SeededRandom, mix: ScriptMix = ScriptMix()) -> WorkflowScript {
        var script = WorkflowScript()
        for _ in 0..<random.within(1...max(1, mix.mostSteps)) { script.steps.append(step(&random, mix, depth: 0)) }
        if random.happens(mix.failures) { script.ending = .fails }
        return script
    }

    private static func step(_ random: inout SeededRandom, _ mix: ScriptMix, depth: Int) -> Step {
        var chance = Double(random.below(1_000_000)) / 1_000_000
        func isNext(_ rate: Double) -> Bool {
            chance -= rate
            return chance < 0
        }
        if isNext(mix.timers) { return .timer(interval(&random, longest: mix.longestTimer)) }
        if isNext(mix.signals) { return .signal(random.below(signalCount)) }
        if isNext(mix.markers) { return .marker(random.below(1_000)) }
        if isNext(mix.memos) { return .memo(random.below(1_000)) }
        if isNext(mix.races) { return race(&random, mix) }
        if isNext(mix.children) { return child(&random, mix) }
        if depth == 0, isNext(mix.parallels) {
            var steps: [Step] = []
            for _ in 0..<random.within(2...3) { steps.append(step(&random, mix, depth: 1)) }
            return .parallel(steps)
        }
        return .activity(activity(&random, mix))
    }

    private static func child(_ random: inout SeededRandom, _ mix: ScriptMix) -> Step {
        var mix = mix
        // Nobody signals a child. Some have children of their own.
        mix.signals = 0
        mix.children /= 2
        mix.mostSteps = 2
        let number = random.below(1 << 30)
        var script = WorkflowScript.random(using: &random, mix: mix)
        if script.ending == .completes, random.happens(mix.chains) { script.ending = .continues }
        let step = Step.child(number, script)
        guard random.happens(mix.told) else { return step }
        let signals = (0..<random.within(1...3)).map { _ in Step.tell(number, signal: random.below(signalCount)) }
        return .parallel([step] + signals)
    }

    private static func interval(_ random: inout SeededRandom, longest: Interval) -> Interval {
        // Most are short, and one in eight lasts: it may outlive its run's stay in memory.
        let longest = Int(longest.nanoseconds / 1_000_000)
        return .milliseconds(Int64(random.below(8) == 0 ? random.within(1...longest) : random.within(1...100)))
    }

    private static func activity(_ random: inout SeededRandom, _ mix: ScriptMix) -> ActivityStep {
        var activity = ActivityStep()
        activity.plan.milliseconds = random.within(1...20)
        activity.isEager = random.happens(mix.eager)
        if random.happens(mix.undos) {
            activity.undo = ActivityPlan(.succeeds, failures: random.happens(mix.retries) ? random.within(1...2) : 0)
        }
        if random.happens(mix.retries) {
            activity.plan.failures = random.within(1...3)
            activity.maximumAttempts = random.below(2) == 0 ? 0 : random.within(2...5)
        }
        if random.happens(mix.heartbeats) {
            activity.plan.heartbeats = random.within(1...3)
            activity.plan.hasDetails = random.below(2) == 0
            activity.heartbeatTimeout = .seconds(5)
        }
        if random.happens(mix.finalFailures) { activity.plan.end = .fails }
        if random.happens(mix.silences) {
            activity.plan.end = .neverAnswers
            activity.maximumAttempts = random.within(1...2)
            activity.startToClose = .seconds(2)
        }
        if random.below(8) == 0 { activity.scheduleToClose = .seconds(60) }
        if random.below(8) == 0 { activity.scheduleToStart = .seconds(30) }
        return activity
    }

    private static func race(_ random: inout SeededRandom, _ mix: ScriptMix) -> Step {
        var activity = ActivityStep()
        activity.isEager = random.happens(mix.eager)
        activity.undo = random.happens(mix.undos) ? ActivityPlan() : nil
        activity.plan.heartbeats = random.within(1...4)
        activity.plan.milliseconds = random.within(20...400)
        activity.plan.ignoresCancel = random.below(4) == 0
        activity.heartbeatTimeout = .seconds(5)
        return .race(activity, .milliseconds(Int64(random.within(1...300))))
    }
}
