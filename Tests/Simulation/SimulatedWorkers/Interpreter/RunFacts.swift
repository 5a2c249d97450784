internal import SagamoreEngine

/// What the events of one run say, for comparison with what workers and clients were told.
struct RunFacts {
    private(set) var end: RunEnd?
    private(set) var isTaskDue = false
    private(set) var isCancelRequested = false
    /// The request ids of signals, in order.
    private(set) var signals: [[UInt8]] = []
    private(set) var completedTasks: [Int64] = []
    private(set) var acceptedUpdates: Set<[UInt8]> = []
    private(set) var completedUpdates: Set<[UInt8]> = []
    /// The ends of activities by the ids of their ActivityTaskScheduled, in order.
    private(set) var ends: [(scheduledEventID: Int64, end: ScriptEvent.ActivityEnd)] = []

    init(_ events: [ScriptEvent]) {
        for event in events {
            switch event.kind {
            case .signaled(_, let requestID): signals.append(requestID)
            case .cancelRequested: isCancelRequested = true
            case .taskScheduled: isTaskDue = true
            case .taskCompleted(let startedEventID):
                isTaskDue = false
                completedTasks.append(startedEventID)
            case .updateAccepted(let id): acceptedUpdates.insert(id)
            case .updateCompleted(let id): completedUpdates.insert(id)
            case .activityEnded(let id, let end): ends.append((id, end))
            case .closed(let end): self.end = end
            default: break
            }
        }
    }

    /// Compares with what was acknowledged. While a workflow task runs, buffered events do not show.
    func compare(
        _ run: RunID,
        _ workers: ActivityLedger.Run?,
        _ clients: ClientLedger.Run?,
        _ violation: (String) -> Void
    ) {
        if let workers {
            for id in workers.completedTasks where !completedTasks.contains(id) {
                violation("the completion of workflow task \(id) of run \(run) was acknowledged and is lost")
            }
            for id in workers.completed where end != nil || !isTaskDue {
                if !ends.contains(where: { $0.scheduledEventID == id && $0.end == .completed }) {
                    violation("the completion of activity \(id) of run \(run) was acknowledged and is lost")
                }
            }
        }
        guard let clients else { return }
        if let known = clients.end, known != end {
            violation("run \(run) was seen as \(known), and is \(end.map { "\($0)" } ?? "open")")
        }
        if clients.isTerminated, end != .terminated {
            violation("the termination of run \(run) was acknowledged and is lost")
        }
        if clients.isCancelRequested, end == nil, !isTaskDue, !isCancelRequested {
            violation("the cancellation of run \(run) was acknowledged and is lost")
        }
        if clients.missedSignals > 0, end != .terminated, end != .timedOut {
            violation("a query of run \(run) showed \(clients.missedSignals) signals less than were acknowledged")
        }
        for (index, signal) in signals.enumerated() where !signal.isEmpty && signals[..<index].contains(signal) {
            violation("a signal to run \(run) took effect twice: \(String(decoding: signal, as: UTF8.self))")
        }
        for (id, known) in clients.updates.sorted(by: { $0.key < $1.key }) {
            let isAccepted = acceptedUpdates.contains(Array(id.utf8))
            let isCompleted = completedUpdates.contains(Array(id.utf8))
            let holds =
                switch known {
                case .accepted: isAccepted
                case .succeeded: isCompleted
                case .rejected: !isAccepted
                case .abandoned: isAccepted && !isCompleted && end != nil
                }
            if !holds { violation("update \(id) of run \(run) was seen as \(known), and its history shows otherwise") }
        }
        guard end != nil || !isTaskDue else { return }
        for signal in clients.signals where !signals.contains(where: { $0.elementsEqual(signal.utf8) }) {
            violation("signal \(signal) to run \(run) was acknowledged and is lost")
        }
    }

    /// Compares with the effects of activities.
    func compareEffects(
        _ run: RunID,
        _ workers: ActivityLedger.Run,
        _ replay: ScriptRun,
        _ outcome: SagaOutcome,
        _ violation: (String) -> Void
    ) {
        if workers.isUncertain { return }
        for (id, end) in ends where end == .completed {
            if !workers.attempts.contains(where: { $0.scheduledEventID == id && $0.hasEffect }) {
                violation("activity \(id) of run \(run) has completed, but no worker did it")
            }
        }
        for ordinal in replay.activities.indices {
            let isDone = workers.attempts.contains { $0.ordinal == ordinal && !$0.isUndo && $0.hasEffect }
            let isUndone = workers.attempts.contains { $0.ordinal == ordinal && $0.isUndo && $0.hasEffect }
            switch outcome.state {
            case .finished, .continued:
                if isUndone { violation("run \(run) is finished, but its activity \(ordinal) was undone") }
            case .undone:
                if isDone, replay.activities[ordinal].undo != nil, !isUndone, !replay.leftDone.contains(ordinal) {
                    violation("run \(run) is undone, but the effect of its activity \(ordinal) stays")
                }
            case .cut, .waiting: break
            }
        }
    }
}
