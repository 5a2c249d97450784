public import SagamoreEngine

/// What became of a saga, as its whole history tells.
public struct SagaOutcome: Equatable, Sendable {
    /// Where it is.
    public enum State: Equatable, Sendable {
        /// All steps are done and stay.
        case finished
        /// All steps are done and stay, and another run follows.
        case continued
        /// Everything that was tried is undone, after a failure or a cancellation.
        case undone(wasCancelled: Bool)
        /// It was ended from outside.
        case cut(RunEnd)
        /// It is open and waits for these.
        case waiting([Wait])
    }

    /// What an open saga waits for.
    public enum Wait: Equatable, Sendable {
        /// Its code has to see events.
        case workflowTask
        /// The end of an activity, by the id of ActivityTaskScheduled.
        case activity(Int64)
        /// A timer, by its id.
        case timer(Int)
        /// A signal, by its number.
        case signal(Int)
        /// The end of a child, by the id of its initiated event.
        case child(Int64)
        /// The arrival of a signal, by the id of its initiated event.
        case arrival(Int64)
    }

    /// Where it is.
    public let state: State
    /// The number of its events.
    public let eventCount: Int
    /// The number of signals that it has received.
    public let signalCount: Int

    /// The signals that it has sent to others, by their workflow ids.
    public var told: [String: SentSignals] = [:]

    /// Whether it is open.
    public var isOpen: Bool { if case .waiting = state { true } else { false } }
}

/// Signals from one workflow to another.
public struct SentSignals: Equatable, Sendable {
    /// Those that are sent, whatever has come of them.
    public var begun = 0
    /// Those whose arrival was acknowledged.
    public var arrived = 0

    init() {}

    init(_ begun: Int, _ arrived: Int) { (self.begun, self.arrived) = (begun, arrived) }

    /// Both together.
    public static func + (left: SentSignals, right: SentSignals) -> SentSignals {
        SentSignals(left.begun + right.begun, left.arrived + right.arrived)
    }

    static func all(in events: [ScriptEvent]) -> [String: SentSignals] {
        var receivers: [Int64: String] = [:]
        var found: [String: SentSignals] = [:]
        for event in events {
            switch event.kind {
            case .signalInitiated(let workflowID, _):
                let receiver = String(decoding: workflowID, as: UTF8.self)
                receivers[event.id] = receiver
                found[receiver, default: SentSignals()].begun += 1
            case .signalSettled(let id, hasArrived: true):
                if let receiver = receivers[id] { found[receiver, default: SentSignals()].arrived += 1 }
            default: break
            }
        }
        return found
    }
}

/// Checks of one run's whole history.
public struct ReplayCheck {
    private let run: RunID
    private let activities: ActivityLedger?
    private let clients: ClientLedger?
    private let histories: HistoryLedger?

    /// - Parameters: what workers and clients know; nil to leave it out.
    public init(
        _ run: RunID,
        activities: ActivityLedger? = nil,
        clients: ClientLedger? = nil,
        histories: HistoryLedger? = nil
    ) {
        self.run = run
        self.activities = activities
        self.clients = clients
        self.histories = histories
    }

    /// Replays a whole history from its start, and compares it with what workers and clients know.
    ///
    /// - Parameters:
    ///   - frames: encoded frames of `History.events`, from the first one on.
    ///   - violation: is told what does not fit.
    /// - Returns: what became of the saga; nil when the history does not fit its code.
    @discardableResult
    public func check(_ frames: [UInt8], violation: (String) -> Void) -> SagaOutcome? {
        histories?.check(run, whole: frames)
        let events: [ScriptEvent]
        do {
            events = try ScriptEvent.decode(frames)
        } catch {
            violation("the history of run \(run) cannot be decoded: \(error)")
            return nil
        }
        var replay = ScriptRun()
        do {
            try replay.handle(events)
            if let last = events.last, case .closed(let end) = last.kind { try replay.checkClosed(end, last.id) }
        } catch {
            violation("the history of run \(run) does not replay: \(error)")
            return nil
        }
        let facts = RunFacts(events)
        facts.compare(run, activities?.run(run), clients?.run(run), violation)
        let outcome = SagaOutcome(
            state: facts.end.map { replay.state(closedAs: $0) } ?? .waiting(replay.waiting(facts)),
            eventCount: events.count,
            signalCount: replay.signalCount,
            told: SentSignals.all(in: events)
        )
        if let known = activities?.run(run) { facts.compareEffects(run, known, replay, outcome, violation) }
        return outcome
    }
}

extension ScriptRun {
    fileprivate func checkClosed(_ end: RunEnd, _ eventID: Int64) throws(ReplayViolation) {
        guard end.isOwn else { return }
        guard phase == .ended(end) else { throw ReplayViolation("the run has closed, but its code has not ended") }
        try ledger.checkConfirmed(before: eventID + 1)
    }

    fileprivate func state(closedAs end: RunEnd) -> SagaOutcome.State {
        switch end {
        case .completed: .finished
        case .continuedAsNew: .continued
        case .failed: .undone(wasCancelled: false)
        case .canceled: .undone(wasCancelled: true)
        case .terminated, .timedOut: .cut(end)
        }
    }

    fileprivate func waiting(_ facts: RunFacts) -> [SagaOutcome.Wait] {
        if facts.isTaskDue { return [.workflowTask] }
        return waits.map { wait in
            switch wait.kind {
            case .activity: .activity(wait.scheduledEventID)
            case .timer: .timer(wait.sequence)
            case .signal(let number): .signal(number)
            case .child: .child(wait.scheduledEventID)
            case .arrival: .arrival(wait.scheduledEventID)
            }
        }
    }
}
