internal import SagamoreEngine

/// How the code goes on after an event.
extension ScriptRun {
    /// Goes on until the code waits or ends.
    mutating func settle() {
        while waits.isEmpty {
            switch phase {
            case .notStarted, .ended: return
            case .forward:
                if stop != nil {
                    phase = .undoing
                } else if cursor < script.steps.count {
                    cursor += 1
                    begin(script.steps[cursor - 1])
                } else if script.ending == .fails {
                    stop = .failed
                } else {
                    end(script.ending == .continues ? .continuedAsNew : .completed)
                }
            case .undoing:
                guard let ordinal = tried.popLast() else {
                    end(stop == .cancelled ? .canceled : .failed)
                    return
                }
                guard let plan = activities[ordinal].undo else { continue }
                let input = ActivityInput(ordinal: ordinal, isUndo: true, plan: plan)
                _ = start(input, isEager: activities[ordinal].isEager)
            }
        }
    }

    private mutating func end(_ end: RunEnd) {
        phase = .ended(end)
        ledger.issue(.close(end))
    }

    private mutating func begin(_ step: WorkflowScript.Step) {
        switch step {
        case .activity(let activity): _ = begin(activity)
        case .timer(let interval): _ = startTimer(interval)
        case .signal(let number):
            if signals[number] > 0 {
                signals[number] -= 1
            } else {
                waits.append(Wait(kind: .signal(number), sequence: 0))
            }
        case .marker(let value): ledger.issue(.marker(value))
        case .memo(let value): ledger.issue(.memo(value))
        case .race(let activity, let interval):
            let first = begin(activity)
            let second = startTimer(interval)
            waits[waits.count - 2].rival = second
            waits[waits.count - 1].rival = first
        case .child(let number, let script):
            let sequence = nextSequence()
            ledger.issue(.startChild(sequence: sequence, number: number, script))
            waits.append(Wait(kind: .child(number), sequence: sequence))
        case .tell(let number, let signal):
            let sequence = nextSequence()
            ledger.issue(.tell(sequence: sequence, number: number, signal: signal))
            waits.append(Wait(kind: .arrival, sequence: sequence))
        case .parallel(let steps): for step in steps { begin(step) }
        }
    }

    private mutating func begin(_ activity: ActivityStep) -> Int {
        tried.append(ordinal)
        ordinal += 1
        let input = ActivityInput(ordinal: ordinal - 1, isUndo: false, plan: activity.plan)
        return start(input, isEager: activity.isEager)
    }

    private mutating func start(_ input: ActivityInput, isEager: Bool) -> Int {
        let sequence = nextSequence()
        ledger.issue(.schedule(sequence: sequence, input, isEager: isEager))
        waits.append(Wait(kind: .activity(input), sequence: sequence))
        return sequence
    }

    private mutating func startTimer(_ interval: Interval) -> Int {
        let sequence = nextSequence()
        ledger.issue(.startTimer(sequence: sequence, interval))
        waits.append(Wait(kind: .timer, sequence: sequence))
        return sequence
    }

    // MARK: Events

    mutating func signaled(_ number: Int) {
        guard signals.indices.contains(number) else { return }
        if let index = waits.firstIndex(where: { $0.kind == .signal(number) }) {
            waits.remove(at: index)
        } else {
            signals[number] += 1
        }
    }

    mutating func activityEnded(_ scheduledEventID: Int64, _ end: ScriptEvent.ActivityEnd) throws(ReplayViolation) {
        guard let index = waits.firstIndex(where: { $0.scheduledEventID == scheduledEventID }) else {
            throw ReplayViolation("activity \(scheduledEventID) has ended, but the code does not wait for it")
        }
        let wait = waits.remove(at: index)
        if wait.isCancelRequested {
            // An event of the same task may have cancelled it: the service would refuse that now.
            _ = ledger.withdraw { $0 == .cancelActivity(scheduledEventID: scheduledEventID) }
        }
        if wait.rival > 0 { cancelTimer(wait.rival) }
        guard case .activity(let input) = wait.kind, end != .completed else { return }
        if input.isUndo {
            leftDone.insert(input.ordinal)
        } else if !wait.isCancelRequested {
            abort(.failed)
        }
    }

    /// Each child ends once, however often it tells.
    mutating func childEnded(_ initiatedEventID: Int64, isFailure: Bool) throws(ReplayViolation) {
        guard let index = waits.firstIndex(where: { $0.isChild && $0.scheduledEventID == initiatedEventID }) else {
            throw ReplayViolation("child \(initiatedEventID) has ended, but the code does not wait for it")
        }
        let wait = waits.remove(at: index)
        if isFailure, !wait.isCancelRequested { abort(.failed) }
    }

    /// A signal to a child has arrived, or the child is gone: that is no failure.
    mutating func signalSettled(_ initiatedEventID: Int64) throws(ReplayViolation) {
        let index = waits.firstIndex { $0.kind == .arrival && $0.scheduledEventID == initiatedEventID }
        guard let index else {
            throw ReplayViolation("signal \(initiatedEventID) is settled, but the code does not wait for that")
        }
        waits.remove(at: index)
    }

    private mutating func cancelChild(at index: Int, _ number: Int) {
        let wait = waits[index]
        guard !wait.isCancelRequested else { return }
        if wait.scheduledEventID == 0 {
            _ = ledger.withdraw { if case .startChild(wait.sequence, _, _) = $0 { true } else { false } }
            waits.remove(at: index)
            return
        }
        waits[index].isCancelRequested = true
        ledger.issue(.cancelChild(number: number))
    }

    mutating func timerFired(_ sequence: Int) throws(ReplayViolation) {
        guard let index = waits.firstIndex(where: { $0.kind == .timer && $0.sequence == sequence }) else {
            // An earlier event of the same task may have cancelled it: the service would refuse that now.
            if ledger.withdraw(where: { $0 == .cancelTimer(sequence: sequence) }) { return }
            throw ReplayViolation("timer \(sequence) has fired, but the code does not wait for it")
        }
        let timer = waits.remove(at: index)
        guard timer.rival > 0, let rival = waits.firstIndex(where: { $0.sequence == timer.rival }) else { return }
        cancelActivity(at: rival)
    }

    /// Ends the way forward: what runs is cancelled, and then everything that was tried is undone.
    mutating func abort(_ reason: Stop) {
        guard phase == .forward, stop == nil else { return }
        stop = reason
        for wait in waits {
            switch wait.kind {
            case .timer: cancelTimer(wait.sequence)
            case .signal(let number): waits.removeAll { $0.kind == .signal(number) }
            case .activity:
                if let index = waits.firstIndex(where: { $0.sequence == wait.sequence }) { cancelActivity(at: index) }
            case .arrival:
                // One that was sent cannot be taken back.
                let isUnsent = ledger.withdraw { if case .tell(wait.sequence, _, _) = $0 { true } else { false } }
                if isUnsent { waits.removeAll { $0.sequence == wait.sequence } }
            case .child(let number):
                if let index = waits.firstIndex(where: { $0.sequence == wait.sequence }) {
                    cancelChild(at: index, number)
                }
            }
        }
    }

    private mutating func cancelTimer(_ sequence: Int) {
        guard let index = waits.firstIndex(where: { $0.kind == .timer && $0.sequence == sequence }) else { return }
        waits.remove(at: index)
        let isUnsent = ledger.withdraw {
            if case .startTimer(sequence, _) = $0 { true } else { false }
        }
        if !isUnsent { ledger.issue(.cancelTimer(sequence: sequence)) }
    }

    private mutating func cancelActivity(at index: Int) {
        let wait = waits[index]
        guard !wait.isCancelRequested, case .activity(let input) = wait.kind else { return }
        if wait.scheduledEventID == 0 {
            // It was not sent, so it was not tried.
            _ = ledger.withdraw { if case .schedule(wait.sequence, _, _) = $0 { true } else { false } }
            waits.remove(at: index)
            tried.removeAll { $0 == input.ordinal }
            return
        }
        waits[index].isCancelRequested = true
        ledger.issue(.cancelActivity(scheduledEventID: wait.scheduledEventID))
    }
}

extension ScriptRun.Wait {
    var isChild: Bool { if case .child = kind { true } else { false } }
}
