public import SagamoreEngine
public import SagamoreSimulatedTime

/// What happens while a thread of a server is blocked in a call of the database, or another one runs in its place:
/// others make steps. The servers of a world share one.
///
/// Steps are nested for that: whoever is blocked goes on once those that began later have ended. So not every order of
/// answers occurs, but every order of steps between the beginning and the end of one call does.
///
/// Unchecked: the whole world runs in one thread.
public final class BlockingCalls: @unchecked Sendable {
    /// How many calls take time before they are carried out, and as many after that. From 0 to 1.
    public var rate = 0.0
    /// The longest time that a call takes, before and after.
    public var longest = Interval.milliseconds(2)
    /// How often others come in between when a lock was released. From 0 to 1.
    public var switchRate = 0.0
    /// How many steps they make then, at most.
    public var mostSwitches = 3
    /// How many calls and switches may be under way at once.
    public var depthLimit = 4
    /// Asked before each call of a lane, when a pause of the process hurts most: its commit goes on afterwards.
    public var onLaneCall: ((SimulatedProcess) -> Void)?
    /// The number of calls that took time.
    public private(set) var count = 0
    /// How often others came in between when a lock was released.
    public private(set) var switchCount = 0
    /// When the calls that are under way end, the first one first.
    private var ends: [Instant] = []
    private let clock = SimulatedProcess("calls")

    /// Calls that take no time.
    public init() {}

    /// Lets a while pass, with some probability; and the time for which the process is paused.
    func pass(in scheduler: Scheduler, while process: SimulatedProcess) {
        let isPaused = process.pausedUntil.map { $0 > scheduler.now } ?? false
        guard ends.count < depthLimit, isPaused || (rate > 0 && scheduler.random.happens(rate)) else { return }
        // A call that has ended waits for those that began later: these take no more time then.
        let now = scheduler.now
        guard ends.allSatisfy({ $0 >= now }) else { return }
        let length = Interval(nanoseconds: Int64(scheduler.random.below(Int(longest.nanoseconds) + 1)))
        pass(until: scheduler.now + length, in: scheduler)
        while let end = process.pausedUntil, end > scheduler.now, pass(until: end, in: scheduler) {}
    }

    /// Whether a call or a switch that is over waits for those that began later, and its thread with it.
    func holdsThreadsUp(at now: Instant) -> Bool { ends.contains { $0 < now || $0 == .distantFuture } }

    /// Lets others make some steps, with some probability.
    func switchThreads(in scheduler: Scheduler, while process: SimulatedProcess) {
        guard switchRate > 0, ends.count < depthLimit, scheduler.random.happens(switchRate) else { return }
        ends.append(.distantFuture)
        switchCount += 1
        for _ in 0..<scheduler.random.within(1...mostSwitches) { _ = scheduler.step() }
        ends.removeLast()
        while let end = process.pausedUntil, end > scheduler.now, pass(until: end, in: scheduler) {}
    }

    /// Lets others make steps until then, or until the call is not blocked any more. Returns false where too many calls
    /// are under way already.
    @discardableResult
    func pass(until end: Instant, in scheduler: Scheduler, while isBlocked: () -> Bool = { true }) -> Bool {
        guard ends.count < depthLimit else { return false }
        ends.append(end)
        count += 1
        defer { ends.removeLast() }
        var isOver = false
        scheduler.schedule("database", of: clock, after: end - scheduler.now) { isOver = true }
        while !isOver, isBlocked(), scheduler.step() {}
        return true
    }
}
