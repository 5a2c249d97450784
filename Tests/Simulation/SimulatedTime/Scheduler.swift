public import SagamoreEngine

/// Decides what happens next in a simulated world, by a seed: of all steps that could run now, one is chosen by chance.
/// When no step can run, time moves on to the next one that is due.
///
/// Unchecked: the whole world runs in one thread.
public final class Scheduler: @unchecked Sendable {
    /// The source of all chance in the world.
    public var random: SeededRandom
    /// True time since the world began. A process may have another idea of the wall clock.
    public private(set) var now = Instant(nanoseconds: 0)
    /// The number of steps that have run.
    public private(set) var stepCount = 0
    /// What ran, newest last, as far as it is kept.
    public private(set) var log: StepLog
    /// The longest time that one step takes. Zero: no time passes while a step can run.
    public var longestStep = Interval(nanoseconds: 50_000)

    private var ready: [Step] = []
    private var waiting = DueHeap<Step>()
    private var order: UInt64 = 0

    private struct Step {
        let label: StaticString
        let process: SimulatedProcess
        /// Of the process, when the step was scheduled. A process that was restarted does not run what was left.
        let life: Int
        let body: () -> Void
    }

    /// - Parameter logLimit: the steps that are kept for a report.
    public init(seed: UInt64, logLimit: Int = 0) {
        random = SeededRandom(seed: seed)
        log = StepLog(limit: logLimit)
    }

    /// Runs `body` as a step of a process after `delay`; with no delay, among the steps that can run now.
    public func schedule(
        _ label: StaticString,
        of process: SimulatedProcess,
        after delay: Interval = .zero,
        _ body: @escaping () -> Void
    ) {
        let step = Step(label: label, process: process, life: process.life, body: body)
        if delay > .zero {
            order += 1
            waiting.push(step, at: now + delay, order: order)
        } else {
            ready.append(step)
        }
    }

    /// Notes something that happened within a step, for the log and the digest.
    public func note(_ text: @autoclosure () -> String) { log.note(text) }

    /// Forgets all steps that have not run, and with them what they hold. Called when the world has ended.
    public func discardSteps() {
        ready = []
        waiting = DueHeap()
    }

    /// Runs one step. Returns false when there is none left.
    public func step() -> Bool {
        while true {
            while let due = waiting.popDue(now) { ready.append(due) }
            guard !ready.isEmpty else {
                guard let next = waiting.earliest else { return false }
                now = next
                continue
            }
            let place = random.below(ready.count)
            ready.swapAt(place, ready.count - 1)
            let step = ready.removeLast()
            guard step.life == step.process.life else { continue }
            if let until = step.process.pausedUntil, until > now {
                order += 1
                waiting.push(step, at: until, order: order)
                continue
            }
            if longestStep > .zero {
                now = now + Interval(nanoseconds: Int64(random.below(Int(longestStep.nanoseconds))))
            }
            stepCount += 1
            log.began(step.label, of: step.process, at: now)
            step.body()
            return true
        }
    }
}
