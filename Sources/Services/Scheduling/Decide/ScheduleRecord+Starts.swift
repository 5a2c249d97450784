internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// Which of the starts that wait may take place.
extension ScheduleRecord {
    /// How many starts may be under way at once.
    static let mostStarting = 100

    /// Gives each start that waits its turn, by the overlap policies: it is decided, waits on, or is skipped.
    mutating func takeStarts(at now: Instant) -> [ScheduleDemand] {
        if progress.buffer.isEmpty { return [] }
        var isBusy = !progress.running.isEmpty || progress.starting.contains(where: \.isTracked)
        var waiting: [DueStart] = []
        var wish = TrackedRun.Wish.none
        var chosen: [PendingStart] = []
        for start in progress.buffer {
            let policy = start.policy == .unspecified ? overlapPolicy : start.policy
            let mayStart = progress.starting.count + chosen.count < Self.mostStarting
            if policy == .allowAll || !isBusy {
                guard mayStart else {
                    waiting.append(start)
                    continue
                }
                guard let pending = choose(start, isTracked: policy != .allowAll, at: now) else { continue }
                chosen.append(pending)
                if pending.isTracked { isBusy = true }
                continue
            }
            switch policy {
            case .bufferOne:
                if waiting.isEmpty { waiting.append(start) } else { progress.info.overlapSkipped += 1 }
            case .bufferAll: waiting.append(start)
            case .cancelOther, .terminateOther:
                if let index = chosen.firstIndex(where: \.isTracked) {
                    // Nothing has been started yet that could be ended: the newest start is the one that counts.
                    guard let pending = choose(start, isTracked: true, at: now) else { continue }
                    giveBack(chosen[index])
                    chosen[index] = pending
                } else {
                    waiting.append(start)
                    let asked: TrackedRun.Wish = policy == .cancelOther ? .cancel : .terminate
                    if asked.rawValue > wish.rawValue { wish = asked }
                }
            default: progress.info.overlapSkipped += 1
            }
        }
        progress.buffer = waiting
        progress.starting += chosen
        return end(runsThatAreInTheWay: wish) + chosen.map { .start($0) }
    }

    /// - Returns: nil for a start that a pause, or the limit of actions, has overtaken.
    private mutating func choose(_ start: DueStart, isTracked: Bool, at now: Instant) -> PendingStart? {
        guard let workflow else { return nil }
        if !start.isManual {
            guard takesActions else { return nil }
            countDown(by: 1)
        }
        let keepsID = definition.policies?.keepOriginalWorkflowID ?? false
        let id = keepsID ? workflow.workflowID : "\(workflow.workflowID)-\(start.nominal.secondText)"
        return PendingStart(due: start, workflowID: id, decidedAt: now, isTracked: isTracked)
    }

    private mutating func giveBack(_ start: PendingStart) {
        if !start.due.isManual { countDown(by: -1) }
    }

    private mutating func countDown(by count: Int64) {
        guard definition.state?.limitedActions == true else { return }
        definition.state?.remainingActions -= count
        progress.version += count
    }

    private mutating func end(runsThatAreInTheWay wish: TrackedRun.Wish) -> [ScheduleDemand] {
        var actions: [ScheduleDemand] = []
        for index in progress.running.indices where progress.running[index].wish.rawValue < wish.rawValue {
            progress.running[index].wish = wish
            let run = progress.running[index]
            actions.append(wish == .cancel ? .cancel(run) : .terminate(run))
        }
        return actions
    }
}

extension Instant {
    /// The second as ids of workflows show it: `2026-11-29T22:22:09Z`.
    var secondText: String {
        RFC3339.string(secondsSince1970: timestamp.seconds, nanos: 0, precision: .seconds)
    }
}
