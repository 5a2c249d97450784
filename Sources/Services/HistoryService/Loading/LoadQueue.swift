internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// The queue of a shard's loader: a `LoadSchedule` under a lock. Jobs ring the loader when it has gone to sleep.
///
/// Unchecked: every field is read and changed under `lock`.
final class LoadQueue: @unchecked Sendable {
    private let lock = ThreadLock()
    private var schedule = LoadSchedule()
    private var isStopping = false
    /// The loader found no job that is due.
    private var isAsleep = false
    private var onRing: @Sendable () -> Void = {}

    /// Says how the loader is woken. Before the first job.
    func connect(_ onRing: @escaping @Sendable () -> Void) { lock.withLock { self.onRing = onRing } }

    /// - Parameter notBefore: when to carry it out at the earliest, by the steady clock.
    func add(_ job: LoadJob, notBefore: Instant = .distantPast) {
        lock.lock()
        // Who is dropped with a job is told so.
        if !isStopping { schedule.add(job, notBefore: notBefore) }
        let ring = isAsleep ? onRing : nil
        isAsleep = false
        lock.unlock()
        ring?()
    }

    /// What the loader does now: jobs, all of one kind.
    func next(at now: Instant, isLaneFull: Bool) -> LoadSchedule.Step {
        lock.withLock {
            let step = schedule.next(at: now, isLaneFull: isLaneFull)
            if case .wait = step { isAsleep = true }
            return step
        }
    }

    var count: Int { lock.withLock { schedule.count } }

    func stop() {
        let dropped = lock.withLock {
            isStopping = true
            let dropped = schedule
            schedule = LoadSchedule()
            return dropped
        }
        withExtendedLifetime(dropped) {}
    }
}

extension Shard {
    /// Much waits to be committed. What nobody asked for stops then; half of the queue is left to those who ask.
    var isLaneHalfFull: Bool { lane.count >= max(1, configuration.laneQueueLimit / 2) }
}
