internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// What a loader is asked to read.
enum LoadJob {
    /// The waiters of a slot want its current run, or their commands looked up.
    case workflow(WorkflowSlot)
    /// One run by its id, as lists know it.
    case run(RunID, @Sendable (Result<RunRow?, RequestError>) -> Void)
    /// Something else to read; it gets the store, on the loader's thread.
    case read((any LoaderStore) throws(CommitError) -> Void, failed: @Sendable (RequestError) -> Void)
    /// The shard was taken: bring its active runs back, a page of them, those after this one.
    case recover(after: RunID?, count: Int)
    /// Bring the parked runs back whose alarm is near.
    case wakeParked
    /// Delete a part of what is past its retention.
    case retain
    /// Bring back runs that wait for room in a task queue; told whether more wait.
    case pageIn(TaskQueueKey, limit: Int, done: @Sendable (_ isMoreWaiting: Bool) -> Void)
}

/// The queue of a shard's loader.
final class LoadQueue: @unchecked Sendable {
    private let lock = ThreadLock()
    private var jobs: [LoadJob] = []
    /// What time asks for again and again waits here once: more would pile up while the database is away.
    private var hasWake = false
    private var hasRetention = false
    private var isStopping = false

    func add(_ job: LoadJob) {
        // Who is dropped with a job is told so.
        lock.withLock { if !isStopping, admit(job) { jobs.append(job) } }
        lock.signal()
    }

    /// Under the lock.
    private func admit(_ job: LoadJob) -> Bool {
        switch job {
        case .wakeParked:
            defer { hasWake = true }
            return !hasWake
        case .retain:
            defer { hasRetention = true }
            return !hasRetention
        default: return true
        }
    }

    /// Waits for jobs; nil when stopping.
    func take(atMost limit: Int) -> [LoadJob]? {
        lock.withLock {
            while jobs.isEmpty, !isStopping { lock.wait() }
            if isStopping { return nil }
            let taken = Array(jobs.prefix(limit))
            jobs.removeFirst(taken.count)
            for job in taken {
                switch job {
                case .wakeParked: hasWake = false
                case .retain: hasRetention = false
                default: break
                }
            }
            return taken
        }
    }

    var count: Int { lock.withLock { jobs.count } }

    func stop() {
        let dropped = lock.withLock {
            isStopping = true
            let dropped = jobs
            jobs = []
            return dropped
        }
        lock.broadcast()
        withExtendedLifetime(dropped) {}
    }

    var isStopped: Bool { lock.withLock { isStopping } }
}
