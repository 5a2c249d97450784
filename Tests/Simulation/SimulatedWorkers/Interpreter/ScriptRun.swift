internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// One run of a script in a worker: takes parts of its history, and gives commands and answers.
///
/// Events are handled one by one in the order of the history, and the code goes as far as it can after each. So a
/// history that is handled in pieces leads to the same commands as one that is handled as a whole.
struct ScriptRun {
    /// What the code waits for.
    struct Wait: Equatable {
        enum Kind: Equatable {
            case activity(ActivityInput)
            case timer
            case signal(Int)
            /// A child, by the number of its id.
            case child(Int)
            /// The arrival of a signal that this run has sent.
            case arrival
        }

        let kind: Kind
        /// The number of the activity, timer, child or signal that was sent; 0 for one that is waited for.
        let sequence: Int
        /// The other one of a race.
        var rival = 0
        /// The id of ActivityTaskScheduled, or of the child's initiated event, once it is known.
        var scheduledEventID: Int64 = 0
        var isCancelRequested = false
    }

    /// Where the code is.
    enum Phase: Equatable {
        case notStarted, forward, undoing
        case ended(RunEnd)
    }

    /// Why the steps are undone.
    enum Stop: Equatable { case failed, cancelled }

    var script = WorkflowScript()
    var activities: [ActivityStep] = []
    var phase = Phase.notStarted
    var stop: Stop?
    /// The next step.
    var cursor = 0
    /// The ordinal of the next step's first activity.
    var ordinal = 0
    var waits: [Wait] = []
    /// The ordinals of the activities that were tried and not undone, in order.
    var tried: [Int] = []
    /// The ordinals of the activities whose undo has failed: a run that is about to time out leaves it no time for
    /// another attempt.
    var leftDone: Set<Int> = []
    /// Signals that have arrived and no step has used, by number.
    var signals = [Int](repeating: 0, count: WorkflowScript.signalCount)
    /// All signals that have arrived.
    private(set) var signalCount = 0
    /// The ids of the updates that the code has accepted and not completed.
    private(set) var openUpdates: [[UInt8]] = []
    var ledger = CommandLedger()
    /// The start of the last workflow task that was handled.
    private(set) var lastStartedEventID: Int64 = 0
    /// The last event that was handled.
    private(set) var lastEventID: Int64 = 0
    private var sequence = 0

    /// Whether the code has ended.
    var isOver: Bool { if case .ended = phase { true } else { false } }

    mutating func nextSequence() -> Int {
        sequence += 1
        return sequence
    }

    /// Handles the next part of the history.
    ///
    /// - Throws: when it does not fit.
    mutating func handle(_ events: [ScriptEvent]) throws(ReplayViolation) {
        for (index, event) in events.enumerated() {
            guard event.id == lastEventID + 1 else {
                throw ReplayViolation("event \(event.id) follows event \(lastEventID)")
            }
            lastEventID = event.id
            if case .taskStarted = event.kind {
                // A task that failed or timed out counts as if it never ran.
                var isReplay = false
                if index + 1 < events.count {
                    guard case .taskCompleted = events[index + 1].kind else { continue }
                    isReplay = true
                }
                try ledger.checkConfirmed(before: event.id)
                lastStartedEventID = event.id
                if isReplay { ledger.markSent() }
            } else {
                try handle(event)
            }
        }
    }

    private mutating func handle(_ event: ScriptEvent) throws(ReplayViolation) {
        if event.isCaused {
            let command = try ledger.confirm(event)
            switch command {
            case .schedule(let sequence, _, _), .startChild(let sequence, _, _), .tell(let sequence, _, _):
                guard let index = waits.firstIndex(where: { $0.sequence == sequence }) else { return }
                waits[index].scheduledEventID = event.id
            default: break
            }
            return
        }
        switch event.kind {
        case .workflowStarted(let input):
            guard phase == .notStarted, let script = WorkflowScript(input: input) else {
                throw ReplayViolation("the input of the run is no script")
            }
            self.script = script
            activities = script.activities
            phase = .forward
        case .signaled(let name, _):
            signalCount += 1
            signaled(Int(name.last ?? 0) - Int(UInt8(ascii: "0")))
        case .cancelRequested: abort(.cancelled)
        case .updateAccepted(let id):
            guard !openUpdates.contains(id) else { throw ReplayViolation("event \(event.id) accepts an update again") }
            openUpdates.append(id)
        case .updateCompleted(let id):
            guard let index = openUpdates.firstIndex(of: id) else {
                throw ReplayViolation("event \(event.id) completes an update that is not accepted")
            }
            openUpdates.remove(at: index)
        case .activityEnded(let scheduledEventID, let end): try activityEnded(scheduledEventID, end)
        case .timerFired(let sequence): try timerFired(sequence)
        case .childStartFailed(let id): try childEnded(id, isFailure: false)
        case .childEnded(let id, let isCompleted): try childEnded(id, isFailure: !isCompleted)
        case .signalSettled(let id, _): try signalSettled(id)
        case .other(let type): throw ReplayViolation("event \(event.id) has the type \(type), which scripts don't know")
        default: return
        }
        settle()
    }

    /// The commands that have to be sent.
    mutating func takeCommands(taskQueue: String) -> [Command] {
        let commands = ledger.takeUnsent()
        guard !commands.isEmpty else { return [] }
        let maker = CommandMaker(script: activities, taskQueue: taskQueue, result: answer, next: script.next)
        return commands.map(maker.message)
    }

    /// The answer to a query: the number of signals that have arrived, and how far the code is.
    var answer: [UInt8] {
        var writer = ByteWriter(capacity: 8)
        writer.number(signalCount)
        writer.number(cursor)
        writer.number(sequence)
        return writer.bytes
    }
}
