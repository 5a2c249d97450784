internal import SagamoreAPI
internal import SagamoreProtobuf
internal import Synchronization

/// One run between its history and its code: what the code waits for, what it has asked for, how it ended.
///
/// Unchecked: everything is touched only inside ``WorkflowExecutor/enter(_:)``, by one thread at a time. What code on
/// another thread tries is refused by ``check()`` before anything is read.
final class RunCore: @unchecked Sendable {
    /// What a wait ends with.
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

    /// Where the code waits for an activity. An object, since the closure that fills it in must capture nothing large:
    /// one that captured the command crashed with optimisation (Swift 6.3.1), as if the command had been freed before.
    final class ActivityWait {
        let name: String
        let behaviour: ActivityOptions.CancellationBehaviour
        var scheduledEventID: Int64 = 0
        var continuation: Continuation?

        init(_ name: String, _ behaviour: ActivityOptions.CancellationBehaviour) {
            self.name = name
            self.behaviour = behaviour
        }
    }

    /// Where the code waits for a condition; an object for the same reason.
    final class ConditionWait {
        var continuation: Continuation?
    }

    struct Condition {
        let sequence: Int
        let isMet: @Sendable () -> Bool
        let onMet: (_ core: RunCore) -> Void
        /// Gets the error when the run is evicted or the wait is cancelled.
        let onError: ((any Error) -> Void)?
    }

    let executor = WorkflowExecutor()
    let info: WorkflowInfo
    var ledger = CommandLedger()
    var activities: [Int: ActivityWait] = [:]
    var timers: [Int: Continuation] = [:]
    var conditions: [Condition] = []
    var time = ProtobufTimestamp()
    var random: SplitMix64
    var isReplaying = false
    var isCancelRequested = false
    var ending: Ending?
    /// The run was evicted or has failed: the context refuses everything.
    private(set) var isDead = false
    /// How often code has tried to wait since.
    private(set) var refusals = 0
    /// How often it may. Each wait that ended with the run has code behind it that may try again, to put something in
    /// order.
    private var mostRefusals = RunCore.mostRefusals
    /// The code goes on however often it is refused. It is left hanging, and its memory is lost.
    private(set) var isGivenUp = false
    private var sequence = 0
    private let usedElsewhere = Atomic(false)

    init(_ info: WorkflowInfo) {
        self.info = info
        random = SplitMix64(text: info.runID)
    }

    /// Whether the code waits for something that a history can bring.
    var hasWaits: Bool {
        // A watch has nobody who waits.
        !activities.isEmpty || !timers.isEmpty || conditions.contains { $0.onError != nil }
    }

    /// Whether code on another thread has tried to use the context.
    var wasUsedElsewhere: Bool { usedElsewhere.load(ordering: .relaxed) }

    func nextSequence() -> Int {
        sequence += 1
        return sequence
    }

    /// Whether the calling code is this run's own, and the run alive.
    /// - Throws: ``DeterminismViolation`` for code on another thread, ``Evicted`` for code of a run that is over.
    func check() throws {
        guard executor.isCurrent else {
            usedElsewhere.store(true, ordering: .relaxed)
            throw DeterminismViolation.usedElsewhere
        }
        if isDead { throw Evicted() }
    }

    /// As ``check()``; and code that was refused often enough is never resumed again.
    func checkBeforeWait() async throws {
        do {
            try check()
        } catch let error as Evicted {
            refusals += 1
            guard refusals > mostRefusals else { throw error }
            isGivenUp = true
            // Nothing keeps the continuation: this is the end of code like `while true { try? await … }`.
            await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        }
    }

    /// How often code of a dead run is told so before it is left hanging, whatever it waited for.
    static let mostRefusals = 100
    /// How often more for each wait.
    static let refusalsForEachWait = 10

    // MARK: What the history brings

    /// Ends the wait for an activity. What nobody waits for any more is nothing.
    func resolveActivity(_ scheduledEventID: Int64, _ result: Result<RawMessage<Payloads>?, any Error>) {
        guard let sequence = ledger.activity(scheduledIn: scheduledEventID) else { return }
        ledger.forget(scheduledIn: scheduledEventID)
        // Asked to end by what came with it, a moment ago: there is nothing left to end, and the server would say so.
        _ = ledger.withdraw(.cancelActivity, sequence)
        guard let wait = activities.removeValue(forKey: sequence) else { return }
        switch result {
        case .success(let payloads): wait.continuation?.resume(returning: .result(payloads))
        case .failure(let error): wait.continuation?.resume(throwing: error)
        }
    }

    /// Ends the wait for a timer.
    func fireTimer(_ id: String) {
        guard let sequence = Int(id) else { return }
        _ = ledger.withdraw(.cancelTimer, sequence)
        timers.removeValue(forKey: sequence)?.resume(returning: .fired)
    }

    /// Runs what can run, and then whatever conditions that lets go on.
    func settle() {
        executor.drain()
        while let index = conditions.firstIndex(where: { $0.isMet() }) {
            let condition = conditions.remove(at: index)
            condition.onMet(self)
            executor.drain()
        }
    }

    // MARK: The end

    /// From now on the context refuses everything, and all waits end with an error. `cancel` cancels the code's task.
    func die(_ cancel: () -> Void) {
        isDead = true
        mostRefusals += Self.refusalsForEachWait * (activities.count + timers.count + conditions.count)
        cancel()
        executor.adoptForeignJobs()
        executor.drain()
        while hasWaits, !isGivenUp {
            let activities = activities.sorted { $0.key < $1.key }
            let timers = timers.sorted { $0.key < $1.key }
            let conditions = conditions
            self.activities = [:]
            self.timers = [:]
            self.conditions = []
            for (_, wait) in activities { wait.continuation?.resume(throwing: Evicted()) }
            for (_, continuation) in timers { continuation.resume(throwing: Evicted()) }
            for condition in conditions { condition.onError?(Evicted()) }
            executor.drain()
        }
        // Watches know what they watch, which knows this.
        conditions = []
    }
}

/// What code sees whose run this process has let go: whatever it waited for ends with this. Nothing that it does from
/// then on has an effect.
struct Evicted: Error, CustomStringConvertible {
    var description: String { "the run was let go by this process" }
}
