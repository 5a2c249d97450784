internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// What a loader is asked to read.
enum LoadJob {
    /// The waiters of a slot want its current run, or their commands looked up.
    case workflow(WorkflowSlot)
    /// One run by its id, as lists know it.
    case run(RunID, @Sendable (Result<RunRow?, RequestError>) -> Void)
    /// Something else to read; it gets the store, on the loader's thread.
    case read((any LoaderStore) throws(CommitError) -> Void, failed: @Sendable (RequestError) -> Void)
    /// The shard was taken: bring its active runs back.
    case recover
    /// Bring the parked runs back whose alarm is before this time.
    case wakeParked(Instant)
    /// Delete a part of what is past its retention.
    case retain
    /// Bring back runs that wait for room in a task queue; told whether more wait.
    case pageIn(TaskQueueKey, limit: Int, done: @Sendable (_ isMoreWaiting: Bool) -> Void)
}

/// The queue of a shard's loader.
final class LoadQueue: @unchecked Sendable {
    private let lock = ThreadLock()
    private var jobs: [LoadJob] = []
    private var isStopping = false

    func add(_ job: LoadJob) {
        lock.withLock { jobs.append(job) }
        lock.signal()
    }

    /// Waits for jobs; nil when stopping.
    func take(atMost limit: Int) -> [LoadJob]? {
        lock.withLock {
            while jobs.isEmpty, !isStopping { lock.wait() }
            if isStopping { return nil }
            let taken = Array(jobs.prefix(limit))
            jobs.removeFirst(taken.count)
            return taken
        }
    }

    /// Whether others wait; a long job lets them go first.
    var isEmpty: Bool { lock.withLock { jobs.isEmpty } }

    func stop() {
        lock.withLock { isStopping = true }
        lock.broadcast()
    }

    var isStopped: Bool { lock.withLock { isStopping } }
}
