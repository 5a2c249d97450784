internal import SagamoreEngine
internal import SagamoreKafkaFront
internal import SagamoreSimulatedTime

/// A loop whose steps the scheduler makes. A ring is kept until the loop rests, as that of a thread's bell.
///
/// Unchecked: the whole world runs in one thread.
final class ScheduledLoop: DrivenLoop, @unchecked Sendable {
    private enum State {
        case created
        /// A step is under way, or scheduled at its own time.
        case busy
        /// A ring is awaited.
        case resting
        case ended
    }

    private let host: FrontHost
    private let label: StaticString
    private var state = State.created
    private var step: () -> Wake? = { nil }
    private(set) var isStopped = false
    private var hasRung = false
    private var isStepping = false
    /// Until when the calls of the last step take.
    private var busyUntil: Instant
    /// Only the newest scheduled step is made.
    private var newest = 0

    init(_ host: FrontHost, _ label: StaticString) {
        self.host = host
        self.label = label
        busyUntil = host.scheduler.now
        host.onDiscard { [weak self] in self?.end() }
    }

    func start(_ makeStep: @escaping @Sendable () -> () -> Wake?) {
        state = .busy
        step = makeStep()
        schedule(at: host.scheduler.now)
    }

    func ring() {
        guard host.isAlive, state != .created, state != .ended else { return }
        guard state == .resting else {
            hasRung = true
            return
        }
        state = .busy
        schedule(at: busyUntil)
    }

    func stop() {
        isStopped = true
        guard host.isAlive, state != .created, state != .ended, !isStepping else { return }
        state = .busy
        schedule(at: busyUntil)
    }

    func join() {
        precondition(isStopped, "a loop is joined before it was asked to stop")
        // A loop whose step waits for the database, while this one is made, ends with that step.
        guard state != .created, !isStepping else { return }
        newest += 1
        isStepping = true
        defer { isStepping = false }
        while host.isAlive, state != .ended {
            if step() == nil { end() }
        }
    }

    private func end() {
        state = .ended
        step = { nil }
    }

    private func schedule(at time: Instant) {
        guard host.isAlive else { return }
        newest += 1
        let number = newest
        host.scheduler.schedule(label, of: host.process, after: time - host.scheduler.now) { [self] in
            if number == newest, state != .ended { run() }
        }
    }

    private func run() {
        isStepping = true
        state = .busy
        var wake: Wake?
        let time = host.timer.measure { wake = step() }
        isStepping = false
        guard state != .ended, host.isAlive else { return }
        busyUntil = host.scheduler.now + time
        switch wake {
        case nil: end()
        case .now: schedule(at: busyUntil)
        case .at(let time): schedule(at: isStopped ? busyUntil : max(busyUntil, instant(time)))
        case .ring(let time):
            if hasRung || isStopped {
                hasRung = false
                schedule(at: busyUntil)
            } else {
                state = .resting
                schedule(at: max(busyUntil, instant(time)))
            }
        }
    }

    private func instant(_ time: ContinuousClock.Instant) -> Instant {
        host.scheduler.now + Interval(time - host.now)
    }
}
