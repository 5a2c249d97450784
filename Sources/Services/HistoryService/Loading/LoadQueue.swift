internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// The queue of a shard's loader: a `LoadSchedule` under a lock. A new job wakes a loader that sleeps.
///
/// Unchecked: every field is read and changed under `lock`.
final class LoadQueue: @unchecked Sendable {
    private let lock = ThreadLock()
    private var schedule: LoadSchedule
    /// Who waits for a closed run, by its id.
    private var readers: [RunID: [ClosedRunReader]] = [:]
    private var readerCount = 0
    private var isStopping = false
    /// Whether the loader sleeps because no job was due.
    private var isAsleep = false
    private var onRing: @Sendable () -> Void = {}

    /// - Parameter lookUps: the most of one turn.
    init(lookUps: Int) { schedule = LoadSchedule(lookUps: lookUps) }

    /// Sets how the loader is woken. Called before the first job.
    func connect(_ onRing: @escaping @Sendable () -> Void) { lock.withLock { self.onRing = onRing } }

    /// - Parameter notBefore: the earliest time to carry it out, by the steady clock.
    func add(_ job: LoadJob, notBefore: Instant = .distantPast) {
        lock.lock()
        // A dropped job fails its callers when it is deallocated.
        if !isStopping { schedule.add(job, notBefore: notBefore) }
        let ring = isAsleep ? onRing : nil
        isAsleep = false
        lock.unlock()
        ring?()
    }

    /// Reads a closed run for one more reader. Readers of the same run share the read: a caller who has given up and
    /// asks again does not make it slower.
    func read(_ row: RunRow, for reader: ClosedRunReader) {
        let isFirst = lock.withLock {
            guard !isStopping else { return false }
            readers[row.runID, default: []].append(reader)
            readerCount += 1
            return readers[row.runID]?.count == 1
        }
        if isFirst { add(.closedRun(row)) }
    }

    /// Those who waited for a closed run that is read now, or cannot be.
    func takeReaders(of runID: RunID) -> [ClosedRunReader] {
        lock.withLock {
            let taken = readers.removeValue(forKey: runID) ?? []
            readerCount -= taken.count
            return taken
        }
    }

    /// What the loader does next. All jobs of a turn have the same kind.
    func next(at now: Instant, isLaneFull: Bool) -> LoadSchedule.Step {
        lock.withLock {
            let step = schedule.next(at: now, isLaneFull: isLaneFull)
            if case .wait = step { isAsleep = true }
            return step
        }
    }

    /// The jobs, and those who wait for closed runs.
    var count: Int { lock.withLock { schedule.count + readerCount } }

    func stop() {
        let dropped = lock.withLock {
            isStopping = true
            let dropped = (schedule, readers)
            (schedule, readers, readerCount) = (LoadSchedule(), [:], 0)
            return dropped
        }
        withExtendedLifetime(dropped) {}
    }
}

extension Shard {
    /// Whether the lane's queue is half full. Background work pauses then, so that the other half is left for requests.
    var isLaneHalfFull: Bool { lane.count >= max(1, configuration.laneQueueLimit / 2) }
}
