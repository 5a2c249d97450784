internal import SagamoreEngine

/// Spaces tasks evenly, so that no second sees more than its rate, the first one included.
///
/// A task that is taken late because the limiter held it back keeps its time: the average is the rate, however coarse
/// the timer is. A task that comes late does not: no credit is saved up while nobody waits.
struct RateLimiter: Sendable {
    /// Tasks per second; 0 lets none through.
    let rate: Double
    /// When the last task was due. Never later than the time at which it was taken.
    private var last: Instant?
    /// Whether somebody waits for the limiter.
    private(set) var isOwing = false

    /// How late a task that was held back may be and keep its time: timers are late, and polls are away for a moment.
    private static let patience = Interval.milliseconds(100)
    /// The longest time between two tasks that is told apart from never.
    private static let longest = Interval.seconds(366 * 86_400)

    init(rate: Double) { self.rate = rate }

    /// The limiter of a new rate: what was taken before counts.
    init(rate: Double, after old: RateLimiter?) {
        self.rate = rate
        last = old?.last
    }

    private var interval: Interval {
        // Rounded up: a second must not see one more.
        let nanoseconds = (1e9 / rate).rounded(.up)
        return nanoseconds < Double(Self.longest.nanoseconds) ? Interval(nanoseconds: Int64(nanoseconds)) : Self.longest
    }

    /// When the next task may go; nil for never. After a step back of the clock it is at most one interval away.
    func next(at now: Instant) -> Instant? {
        guard rate > 0 else { return nil }
        guard let last else { return now }
        return min(last, now) + interval
    }

    func allows(at now: Instant) -> Bool { next(at: now).map { $0 <= now } ?? false }

    /// Notes whether somebody waits.
    mutating func owes(_ isOwing: Bool) { self.isOwing = isOwing }

    /// Takes a task that is allowed.
    mutating func take(at now: Instant) {
        guard isOwing, let due = next(at: now) else {
            last = now
            return
        }
        last = min(max(due, now + Interval(nanoseconds: -Self.patience.nanoseconds)), now)
    }

    /// A task that was taken turned out to be none.
    mutating func giveBack() { last = last.map { $0 + Interval(nanoseconds: -interval.nanoseconds) } }
}
