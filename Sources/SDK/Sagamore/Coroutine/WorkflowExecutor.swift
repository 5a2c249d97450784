internal import CSagamoreWorkflowHooks
internal import SagamoreThreads

/// Runs the jobs of one workflow run, one after the other, on the thread that asks for it.
///
/// The order is part of the contract with old histories: first in, first out, each job to its next suspension. It is
/// named in `sdk_metadata` (``WorkflowOrder``). `async let`, task groups and default actors inherit the executor, so a
/// run stands still exactly where it waits for its context.
///
/// Unchecked: `queue` and `head` are touched only by the thread inside ``enter(_:)``, and the owner of the run lets one
/// thread in at a time. Jobs that other threads bring are kept apart, under a lock.
final class WorkflowExecutor: TaskExecutor, @unchecked Sendable {
    private var queue: ContiguousArray<UnownedJob> = []
    private var head = 0
    private let foreign = Locked(Foreign())

    private struct Foreign {
        var jobs: [UnownedJob] = []
        /// The run is over. Jobs that still come are run by the reaper, so that their tasks can end.
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

    /// Makes the calling thread the executor's own while `body` runs.
    func enter<Result>(_ body: () -> Result) -> Result {
        let before = csagamore_workflow_enter(Unmanaged.passUnretained(self).toOpaque())
        defer { _ = csagamore_workflow_enter(before) }
        return body()
    }

    /// Runs jobs until none is left. Call it inside ``enter(_:)``.
    func drain() {
        while head < queue.count {
            let job = queue[head]
            head += 1
            job.runSynchronously(on: asUnownedTaskExecutor())
            // A run that never waits for long would otherwise keep every job it ever had.
            if head == queue.count || head > 1024 {
                queue.removeSubrange(0..<head)
                head = 0
            }
        }
    }

    /// Whether code on this thread made a task outside the executor since the last call.
    func takeEscape() -> Bool { csagamore_workflow_take_escape() }

    /// Whether another thread brought a job: something outside the workflow has resumed it.
    var hasForeignJobs: Bool { foreign.withLock { !$0.jobs.isEmpty } }

    /// Takes in what other threads brought, for unwinding a run that is over. Call it inside ``enter(_:)``.
    func adoptForeignJobs() {
        let jobs = foreign.withLock { foreign in
            defer { foreign.jobs = [] }
            return foreign.jobs
        }
        queue.append(contentsOf: jobs)
    }

    /// The run is over: jobs that still come are run elsewhere.
    func retire() {
        let hasJobs = foreign.withLock { foreign in
            foreign.isRetired = true
            return !foreign.jobs.isEmpty
        }
        if hasJobs { ExecutorReaper.shared.reap(self) }
    }
}

/// The name of the order in which workflow code is run, as `sdk_metadata` tells it to whoever reads a history.
enum WorkflowOrder {
    /// The flag in `lang_used_flags`. Signals of a task first, in the order of the history; then its other events in
    /// that order. After each, jobs first in, first out; then conditions in the order in which they were made, again
    /// until none is met.
    static let firstInFirstOut: UInt32 = 1
    /// The SDK's name in `sdk_metadata`.
    static let sdkName = "sagamore-swift"
    /// The SDK's version in `sdk_metadata`.
    static let sdkVersion = "0.1.0"
}
