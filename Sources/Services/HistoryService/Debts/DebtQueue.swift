internal import SagamoreEngine
internal import SagamoreThreads

/// What the runs of a shard owe others, in the order of delivery. The debts themselves are part of the runs' states:
/// this says only which of them wait, are under way, or are put off after a failure.
///
/// Runs take turns, so that one with thousands of children does not hold others up. A debt has at most one message
/// under way: if the run owes something else from the same event by then, that is sent after the answer.
///
/// Times are by the steady clock.
struct DebtQueue {
    /// A debt in the queue.
    struct Debt: Hashable {
        let key: WorkflowKey
        let runID: RunID
        let eventID: Int64
    }

    /// Messages under way of all runs, and of one.
    static let underWayLimit = 256
    static let runLimit = 64
    /// Messages that are taken at a time.
    static let turnLimit = 32

    private enum Place {
        /// It waits for its turn. Can transition to: underWay.
        case waiting
        /// A message has been sent. Can transition to: waiting, putOff, gone.
        case underWay(isOwedAgain: Bool)
        /// It is sent again at a time. Can transition to: waiting.
        case putOff
    }

    private struct Run {
        let key: WorkflowKey
        var places: [Int64: Place] = [:]
        /// Those that wait, in order, from `next` on.
        var waiting: [Int64] = []
        var next = 0
        var underWay = 0
        var hasTurn = false
        /// The pauses of those that have failed.
        var pauses: [Int64: Backoff] = [:]

        var isReady: Bool { next < waiting.count && underWay < DebtQueue.runLimit }

        mutating func enqueue(_ eventID: Int64) {
            places[eventID] = .waiting
            waiting.append(eventID)
        }

        mutating func takeFirst() -> Int64 {
            let eventID = waiting[next]
            next += 1
            if next == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                next = 0
            } else if next > 1_000 {
                waiting.removeFirst(next)
                next = 0
            }
            return eventID
        }
    }

    private struct Alarm: Comparable {
        let at: Instant
        let debt: Debt

        static func < (left: Alarm, right: Alarm) -> Bool { left.at < right.at }
    }

    private var runs: [RunID: Run] = [:]
    /// Runs with a debt that may be sent, in the order of their turns.
    private var turns: [RunID] = []
    private var nextTurn = 0
    /// Those that are put off, the latest first.
    private var alarms: [Alarm] = []
    private(set) var underWay = 0

    /// Whether the run owes something that was not answered.
    func holds(_ runID: RunID) -> Bool { runs[runID] != nil }

    /// Whether something may be sent now.
    var isReady: Bool { nextTurn < turns.count && underWay < Self.underWayLimit }

    /// When the first debt that was put off is sent again; nil if there is none.
    var nextAlarm: Instant? { alarms.last?.at }

    /// A run owes something from these events.
    mutating func add(_ eventIDs: [Int64], of runID: RunID, _ key: WorkflowKey) {
        if eventIDs.isEmpty { return }
        if runs[runID] == nil { runs[runID] = Run(key: key) }
        for eventID in eventIDs {
            switch runs[runID]?.places[eventID] {
            case nil: runs[runID]?.enqueue(eventID)
            case .underWay?: runs[runID]?.places[eventID] = .underWay(isOwedAgain: true)
            case .waiting?, .putOff?: break
            }
        }
        giveTurn(runID)
    }

    private mutating func giveTurn(_ runID: RunID) {
        guard let run = runs[runID], run.isReady, !run.hasTurn else { return }
        runs[runID]?.hasTurn = true
        turns.append(runID)
    }

    /// Takes debts whose messages are to be sent now.
    mutating func take(at now: Instant) -> [Debt] {
        wake(at: now)
        var taken: [Debt] = []
        while taken.count < Self.turnLimit, isReady {
            let runID = turns[nextTurn]
            nextTurn += 1
            if nextTurn == turns.count || nextTurn > 1_000 {
                turns.removeFirst(nextTurn)
                nextTurn = 0
            }
            runs[runID]?.hasTurn = false
            guard let run = runs[runID], run.isReady, let eventID = runs[runID]?.takeFirst() else { continue }
            runs[runID]?.places[eventID] = .underWay(isOwedAgain: false)
            runs[runID]?.underWay += 1
            underWay += 1
            taken.append(Debt(key: run.key, runID: runID, eventID: eventID))
            giveTurn(runID)
        }
        return taken
    }

    private mutating func wake(at now: Instant) {
        while let alarm = alarms.last, alarm.at <= now {
            alarms.removeLast()
            guard case .putOff? = runs[alarm.debt.runID]?.places[alarm.debt.eventID] else { continue }
            runs[alarm.debt.runID]?.enqueue(alarm.debt.eventID)
            giveTurn(alarm.debt.runID)
        }
    }

    /// A message was answered, or there was nothing to send.
    mutating func finish(_ debt: Debt) {
        guard let isOwedAgain = end(debt) else { return }
        runs[debt.runID]?.pauses[debt.eventID] = nil
        if isOwedAgain {
            runs[debt.runID]?.enqueue(debt.eventID)
        } else {
            runs[debt.runID]?.places[debt.eventID] = nil
            if runs[debt.runID]?.places.isEmpty == true { runs[debt.runID] = nil }
        }
        giveTurn(debt.runID)
    }

    /// A message could not be delivered. It is sent again after a pause.
    mutating func putOff(_ debt: Debt, at now: Instant, using random: inout RandomSource) {
        guard end(debt) != nil, var run = runs[debt.runID] else { return }
        var backoff = run.pauses[debt.eventID] ?? Backoff(first: .milliseconds(50), longest: .seconds(10))
        let pause = Interval(nanoseconds: Int64(backoff.next(using: &random) / .nanoseconds(1)))
        run.pauses[debt.eventID] = backoff
        run.places[debt.eventID] = .putOff
        runs[debt.runID] = run
        let alarm = Alarm(at: now + pause, debt: debt)
        let place = alarms.firstIndex { $0.at <= alarm.at } ?? alarms.count
        alarms.insert(alarm, at: place)
        giveTurn(debt.runID)
    }

    /// Returns whether the run owes the same again; nil if the message is not under way.
    private mutating func end(_ debt: Debt) -> Bool? {
        guard case .underWay(let isOwedAgain)? = runs[debt.runID]?.places[debt.eventID] else { return nil }
        runs[debt.runID]?.underWay -= 1
        underWay -= 1
        return isOwedAgain
    }

    /// The run is no longer in memory. What it owes is added again when it is loaded.
    mutating func forget(_ runID: RunID) {
        guard var run = runs[runID] else { return }
        run.waiting = []
        run.next = 0
        run.pauses = [:]
        run.places = run.places.compactMapValues { place in
            if case .underWay = place { .underWay(isOwedAgain: false) } else { nil }
        }
        runs[runID] = run.places.isEmpty ? nil : run
    }
}
