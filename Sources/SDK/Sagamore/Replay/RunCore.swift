internal import SagamoreAPI
internal import SagamoreProtobuf
internal import Synchronization

/// The state of one run between its history and its code: pending waits, issued commands, and the ending.
///
/// Unchecked: everything is accessed only inside ``WorkflowExecutor/enter(_:)``, by one thread at a time. ``check()``
/// rejects code on other threads before it reads anything.
final class RunCore: @unchecked Sendable {
    /// The result of a wait.
    enum Resolution: Sendable {
        case result(RawMessage<Payloads>?)
        case fired
        case met
    }

    /// How the code ended.
    enum Ending: Sendable {
        case completed(RawMessage<Payloads>)
        case failed(any Error)
    }

    typealias Continuation = UnsafeContinuation<Resolution, any Error>

    /// A wait for an activity. It is an object because the closure that sets the continuation must capture nothing
    /// large: capturing the command crashed optimized builds (Swift 6.3.1), as if the command had been freed before.
    final class ActivityWait {
        let name: String
        let behavior: ActivityOptions.CancellationType
        var scheduledEventID: Int64 = 0
        var continuation: Continuation?

        init(_ name: String, _ behavior: ActivityOptions.CancellationType) {
            self.name = name
            self.behavior = behavior
        }
    }

    /// A wait for a condition; an object for the same reason.
    final class ConditionWait {
        var continuation: Continuation?
    }

    struct Condition {
        let sequence: Int
        let isMet: @Sendable () -> Bool
        let onMet: (_ core: RunCore) -> Void
        /// Receives the error when the run is evicted or the wait is cancelled; nil for a watch.
        let onError: ((any Error) -> Void)?
    }

    let executor = WorkflowExecutor()
    let info: WorkflowInfo
    var ledger = CommandLedger()
    var activities: [Int: ActivityWait] = [:]
    var timers: [Int: Continuation] = [:]
    var children: [Int: ChildWait] = [:]
    /// Waits for answers of other workflows.
    var externals: [Int: ExternalWait] = [:]
    /// Messages about updates, for the response to the workflow task.
    var messages: [ProtocolMessage] = []
    /// Handlers of signals and accepted updates that have not ended.
    var runningHandlers = 0
    /// Those that may wait, by signals' events and updates' ids, to be cancelled at eviction.
    var handlerTasks: [String: Task<Void, Never>] = [:]
    /// A bug in a handler.
    var handlerError: (any Error)?
    var conditions: [Condition] = []
    var time = ProtobufTimestamp()
    var historyLength = 0
    var historyBytes = 0
    var suggestsContinueAsNew = false
    /// The retry policy that this run was started with, for the run that continues it.
    var retryPolicy: SagamoreAPI.RetryPolicy?
    var random: SplitMix64
    var isReplaying = false
    var isCancelRequested = false
    private(set) var ending: Ending?
    /// Whether the run was evicted or has failed. The context then rejects everything.
    private(set) var isDead = false
    /// The number of waits rejected since.
    private(set) var refusals = 0
    /// The limit for rejected waits. Code behind each wait that ended with the run may wait again in its cleanup.
    private var mostRefusals = RunCore.mostRefusals
    /// Whether the code kept waiting after too many rejections. It is suspended forever, and its memory is leaked.
    private(set) var isGivenUp = false
    private var sequence = 0
    private let usedElsewhere = Atomic(false)

    init(_ info: WorkflowInfo) {
        self.info = info
        random = SplitMix64(text: info.runID)
    }

    /// Whether the code waits for something that an event can resolve.
    var hasWaits: Bool {
        // Nothing waits for a watch.
        !activities.isEmpty || !timers.isEmpty || conditions.contains { $0.onError != nil } || !externals.isEmpty
            || children.contains { $0.value.isAwaited }
    }

    /// Whether code on another thread tried to use the context.
    var wasUsedElsewhere: Bool { usedElsewhere.load(ordering: .relaxed) }

    /// The code has ended; the first ending counts.
    func end(_ ending: Ending) {
        if self.ending == nil { self.ending = ending }
    }

    func nextSequence() -> Int {
        sequence += 1
        return sequence
    }

    /// Checks that the calling code belongs to this run, and that the run is alive.
    /// - Throws: ``NondeterminismError`` for code on another thread, ``Evicted`` for code of a dead run.
    func check() throws {
        guard executor.isCurrent else {
            usedElsewhere.store(true, ordering: .relaxed)
            throw NondeterminismError.usedElsewhere
        }
        if isDead { throw Evicted() }
    }

    /// Like ``check()``, but suspends code forever that was rejected too often.
    func checkBeforeWait() async throws {
        do {
            try check()
        } catch let error as Evicted {
            refusals += 1
            guard refusals > mostRefusals else { throw error }
            isGivenUp = true
            // The continuation is dropped on purpose: it stops code like `while true { try? await … }`.
            await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        }
    }

    /// The number of rejections before code of a dead run is suspended forever.
    static let mostRefusals = 100
    /// Additional rejections for each pending wait.
    static let refusalsForEachWait = 10

    // MARK: Events

    /// Resolves the wait for an activity, if there still is one.
    func resolveActivity(_ scheduledEventID: Int64, _ result: Result<RawMessage<Payloads>?, any Error>) {
        guard let sequence = ledger.sequence(initiatedBy: scheduledEventID) else { return }
        ledger.forget(initiatedBy: scheduledEventID)
        // An event of the same task may have cancelled it a moment ago. The server would reject that command now.
        _ = ledger.withdraw(.cancelActivity, sequence)
        guard let wait = activities.removeValue(forKey: sequence) else { return }
        switch result {
        case .success(let payloads): wait.continuation?.resume(returning: .result(payloads))
        case .failure(let error): wait.continuation?.resume(throwing: error)
        }
    }

    /// Resolves the wait for a timer.
    func fireTimer(_ id: String) {
        guard let sequence = Int(id) else { return }
        _ = ledger.withdraw(.cancelTimer, sequence)
        timers.removeValue(forKey: sequence)?.resume(returning: .fired)
    }

    /// Runs all ready jobs, then conditions that are met, until nothing is ready.
    func settle() {
        executor.drain()
        while let index = conditions.firstIndex(where: { $0.isMet() }) {
            let condition = conditions.remove(at: index)
            condition.onMet(self)
            executor.drain()
        }
    }

    // MARK: Eviction

    /// Kills the run: the context rejects everything, and all waits fail. `cancel` cancels the code's task.
    func die(_ cancel: () -> Void) {
        isDead = true
        let waits = activities.count + timers.count + conditions.count + children.count + externals.count
        mostRefusals += Self.refusalsForEachWait * waits
        cancel()
        for (_, task) in handlerTasks.sorted(by: { $0.key < $1.key }) { task.cancel() }
        executor.adoptForeignJobs()
        executor.drain()
        while hasWaits, !isGivenUp {
            let activities = activities.sorted { $0.key < $1.key }
            let timers = timers.sorted { $0.key < $1.key }
            let conditions = conditions
            let children = children.sorted { $0.key < $1.key }
            let externals = externals.sorted { $0.key < $1.key }
            self.activities = [:]
            self.timers = [:]
            self.conditions = []
            self.children = [:]
            self.externals = [:]
            for (_, wait) in activities { wait.continuation?.resume(throwing: Evicted()) }
            for (_, continuation) in timers { continuation.resume(throwing: Evicted()) }
            for condition in conditions { condition.onError?(Evicted()) }
            for (_, child) in children { child.release(throwing: Evicted()) }
            for (_, wait) in externals { wait.continuation?.resume(throwing: Evicted()) }
            executor.drain()
        }
        // Breaks a cycle: a watch holds its saga, which holds this object.
        conditions = []
    }
}

/// The error of all waits of an evicted run. Nothing its code does afterwards has an effect.
struct Evicted: Error, CustomStringConvertible {
    var description: String { "the run was evicted from this worker" }
}
