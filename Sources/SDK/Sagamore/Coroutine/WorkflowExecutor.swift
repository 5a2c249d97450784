internal import CSagamoreWorkflowHooks
internal import SagamoreThreads

/// Runs the jobs of one workflow run, one after the other, on the calling thread.
///
/// The order is a compatibility contract with old histories: first in, first out, each job to its next suspension.
/// `sdk_metadata` names it (``WorkflowOrder``). `async let`, task groups and default actors inherit the executor, so a
/// run makes no progress while it waits for its context.
///
/// Unchecked: only the thread inside ``enter(_:)`` accesses `queue` and `head`, and the owner of the run admits one
/// thread at a time. Jobs from other threads are kept separately, under a lock.
final class WorkflowExecutor: TaskExecutor, @unchecked Sendable {
    private var queue: ContiguousArray<UnownedJob> = []
    private var head = 0
    private let foreign = Locked(Foreign())

    private struct Foreign {
        var jobs: [UnownedJob] = []
        /// Whether the run is over. The reaper runs later jobs, so that their tasks can end.
        var isRetired = false
    }

    init() { csagamore_workflow_hooks_install() }

    /// Whether the calling thread runs this executor's jobs.
    var isCurrent: Bool {
        csagamore_workflow_current() == Unmanaged.passUnretained(self).toOpaque()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            queue.append(job)
            return
        }
        let isRetired = foreign.withLock { foreign in
            foreign.jobs.append(job)
            return foreign.isRetired
        }
        if isRetired { ExecutorReaper.shared.reap(self) }
    }

    /// Binds the calling thread to the executor while `body` runs.
    func enter<Result>(_ body: () -> Result) -> Result {
        let before = csagamore_workflow_enter(Unmanaged.passUnretained(self).toOpaque())
        defer { _ = csagamore_workflow_enter(before) }
        return body()
    }

    /// Runs jobs until the queue is empty. Call it inside ``enter(_:)``.
    func drain() {
        while head < queue.count {
            let job = queue[head]
            head += 1
            job.runSynchronously(on: asUnownedTaskExecutor())
            // Frees finished jobs while a run keeps the queue nonempty.
            if head == queue.count || head > 1024 {
                queue.removeSubrange(0..<head)
                head = 0
            }
        }
    }

    /// Whether code on this thread created a task outside the executor since the last call.
    func takeEscape() -> Bool { csagamore_workflow_take_escape() }

    /// Whether another thread enqueued a job, which means that the workflow was resumed from outside.
    var hasForeignJobs: Bool { foreign.withLock { !$0.jobs.isEmpty } }

    /// Accepts jobs from other threads, to unwind a dead run. Call it inside ``enter(_:)``.
    func adoptForeignJobs() {
        let jobs = foreign.withLock { foreign in
            defer { foreign.jobs = [] }
            return foreign.jobs
        }
        queue.append(contentsOf: jobs)
    }

    /// Hands later jobs to the reaper: the run is over.
    func retire() {
        let hasJobs = foreign.withLock { foreign in
            foreign.isRetired = true
            return !foreign.jobs.isEmpty
        }
        if hasJobs { ExecutorReaper.shared.reap(self) }
    }
}

/// The execution order of workflow code, as recorded in `sdk_metadata`.
enum WorkflowOrder {
    /// The flag in `lang_used_flags`. A task's signals come first, then its other events, both in history order. After
    /// each, jobs run first in, first out; then conditions in creation order, repeatedly until none is met.
    static let firstInFirstOut: UInt32 = 1
    /// The SDK's name in `sdk_metadata`.
    static let sdkName = "sagamore-swift"
    /// The SDK's version in `sdk_metadata`.
    static let sdkVersion = "0.1.0"
}
