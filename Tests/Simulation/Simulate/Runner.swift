internal import Glibc
internal import SagamoreCommandLineArguments
internal import SagamoreEngine
internal import SagamoreSimulation
internal import SagamoreThreads

/// What is to be run.
struct Plan: Sendable {
    var settings: WorldSettings
    let first: UInt64
    var runs = 100
    var seconds: Int?
    var jobs = 1
    var printsDigests = false
    var shrinks = true
    var logLimit = 200

    init(_ settings: WorldSettings, first: UInt64) {
        self.settings = settings
        self.first = first
    }
}

/// A world that failed.
struct FailedWorld: Sendable {
    /// As small as it was made.
    var settings: WorldSettings
    var violation: Violation
    /// Before it was made smaller.
    let original: WorldSettings
    var tries = 0
    var lines: [String] = []
    /// The history of the run that the violation names.
    var history: [String] = []
}

/// What became of all worlds.
struct RunOutcome: Sendable {
    var seeds = 0
    var sagas = 0
    var steps = 0
    var exercise = Exercise()
    var failure: FailedWorld?
    var digests: [UInt64: UInt64] = [:]
    var elapsed = 0.0
    /// CPU time of the process in seconds.
    var processor = 0.0
}

/// Runs worlds on as many threads as there are jobs. Each world has one thread to itself.
final class Runner: Sendable {
    private let plan: Plan
    private let state: Locked<State>
    private let start = ContinuousClock.now

    private struct State {
        var next: UInt64
        var left: Int
        var outcome = RunOutcome()
        var reportedAt: ContinuousClock.Instant?
    }

    init(_ plan: Plan) {
        self.plan = plan
        state = Locked(State(next: plan.first, left: plan.runs))
    }

    func run() -> RunOutcome {
        let before = Self.processorTime()
        let threads = (0..<plan.jobs).map { number in
            SystemThread.required("world-\(number)") { [self] in while let seed = takeSeed() { run(seed) } }
        }
        for thread in threads { thread.join() }
        var outcome = state.withLock { $0.outcome }
        outcome.elapsed = (ContinuousClock.now - start) / .seconds(1)
        outcome.processor = Self.processorTime() - before
        if plan.shrinks, let failure = outcome.failure { outcome.failure = shrink(failure) }
        return outcome
    }

    private func takeSeed() -> UInt64? {
        state.withLock { state in
            guard state.left > 0, state.outcome.failure == nil else { return nil }
            if let seconds = plan.seconds, ContinuousClock.now - start > .seconds(seconds) { return nil }
            state.left -= 1
            state.next &+= 1
            return state.next &- 1
        }
    }

    private func run(_ seed: UInt64) {
        var settings = plan.settings
        settings.seed = seed
        let world = World(settings)
        let end = world.run()
        let progress = state.withLock { state -> String? in
            state.outcome.seeds += 1
            state.outcome.sagas += world.begunSagas
            state.outcome.steps += world.stepCount
            state.outcome.exercise.add(world.exercise)
            if plan.printsDigests { state.outcome.digests[seed] = world.digest }
            if case .failed(let violation) = end, state.outcome.failure == nil {
                state.outcome.failure = FailedWorld(settings: settings, violation: violation, original: settings)
            }
            return report(&state)
        }
        if let progress { StandardErrorLine.write(progress) }
    }

    private func report(_ state: inout State) -> String? {
        let now = ContinuousClock.now
        guard now - (state.reportedAt ?? start) > .seconds(StandardErrorLine.isTerminal ? 1 : 30) else { return nil }
        state.reportedAt = now
        return Report.progress(state.outcome, elapsed: (now - start) / .seconds(1))
    }

    private func shrink(_ failure: FailedWorld) -> FailedWorld {
        StandardErrorLine.write("seed \(failure.settings.seed) fails; looking for the smallest world that does")
        var shrinker = Shrinker(failure.settings, failure.violation)
        shrinker.shrink()
        var failure = failure
        failure.tries = shrinker.tries
        failure.settings = shrinker.settings
        failure.settings.logLimit = plan.logLimit
        let world = World(failure.settings)
        if case .failed(let violation) = world.run() { failure.violation = violation }
        failure.lines = world.lines
        failure.history = world.historyNamed(in: failure.violation)
        return failure
    }

    private static func processorTime() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        return seconds + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
}

/// Lines for people who watch.
enum StandardErrorLine {
    static let isTerminal = isatty(2) == 1

    static func write(_ text: String) { StandardError.write(text + "\n") }
}
