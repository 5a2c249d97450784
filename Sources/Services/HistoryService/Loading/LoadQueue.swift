internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// The queue of a shard's loader: a `LoadSchedule` under a lock on which the loader sleeps.
///
/// Unchecked: every field is read and changed under `lock`.
final class LoadQueue: @unchecked Sendable {
    private let lock = ThreadLock()
    private var schedule = LoadSchedule()
    private var isStopping = false

    /// - Parameter notBefore: when to carry it out at the earliest, by the steady clock.
    func add(_ job: LoadJob, notBefore: Instant = .distantPast) {
        // Who is dropped with a job is told so.
        lock.withLock { if !isStopping { schedule.add(job, notBefore: notBefore) } }
        lock.signal()
    }

    /// Waits for jobs, all of one kind; nil when stopping.
    func take(isLaneFull: () -> Bool) -> [LoadJob]? {
        lock.withLock {
            while !isStopping {
                let now = SteadyClock.now()
                switch schedule.next(at: now, isLaneFull: isLaneFull()) {
                case .turn(let jobs): return jobs
                case .wait(nil): lock.wait()
                case .wait(let wake?): lock.wait(nanoseconds: max(1_000, (wake - now).nanoseconds))
                }
            }
            return nil
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
        lock.broadcast()
        withExtendedLifetime(dropped) {}
    }
}

extension Shard {
    /// Much waits to be committed. What nobody asked for stops then; half of the queue is left to those who ask.
    var isLaneHalfFull: Bool { lane.count >= max(1, configuration.laneQueueLimit / 2) }
}
