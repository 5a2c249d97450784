internal import SagamoreEngine
internal import SagamoreThreads

/// A fixed number of threads that many members share in turns: a `TurnSchedule` under a lock on which idle threads
/// sleep.
///
/// Unchecked: every field is guarded by `lock`. No code of others runs while it is held, so it may be taken under any
/// other lock.
final class TurnPool: @unchecked Sendable {
    private let lock = ThreadLock()
    private let clock: @Sendable () -> Instant
    private var schedule: TurnSchedule
    private var waitingThreads = 0
    /// The earliest time at which a waiting thread wakes by itself, as far as is known.
    private var nextLook = Instant.distantFuture
    private var isStopping = false

    /// - Parameter clock: the steady one, by which members are woken.
    init(memberCount: Int, clock: @escaping @Sendable () -> Instant) {
        self.clock = clock
        schedule = TurnSchedule(memberCount: memberCount)
    }

    /// A member has work.
    func ring(_ member: Int) {
        let wakes = lock.withLock { schedule.ring(member) && waitingThreads > 0 }
        if wakes { lock.signal() }
    }

    /// Gives turns to members, until `stop`. Called by each thread of the pool.
    ///
    /// - Parameter turn: returns when the member has work again; nil if it waits for a ring.
    func run(_ turn: (Int) -> Instant?) {
        while let member = take() {
            let wake = turn(member)
            lock.withLock { schedule.finish(member, wake: wake) }
        }
    }

    private func take() -> Int? {
        lock.lock()
        defer { lock.unlock() }
        while !isStopping {
            let now = clock()
            switch schedule.next(at: now) {
            case .turn(let member):
                // While this thread is busy, another one has to watch the other members.
                let isUnattended = schedule.earliestWake.map { $0 < nextLook } ?? false
                if waitingThreads > 0, schedule.hasReady || isUnattended { lock.signal() }
                return member
            case .wait(let until):
                nextLook = min(nextLook, until ?? .distantFuture)
                waitingThreads += 1
                if let until {
                    lock.wait(nanoseconds: max(1_000, (until - now).nanoseconds))
                } else {
                    lock.wait()
                }
                waitingThreads -= 1
                nextLook = .distantFuture
            }
        }
        return nil
    }

    /// Ends each thread after its current turn.
    func stop() {
        lock.withLock { isStopping = true }
        lock.broadcast()
    }
}
