internal import SagamoreAPI
package import SagamoreEngine
internal import SagamoreProtobuf

/// Something that must not happen did, in the sequence that `seed` repeats.
package struct WorldViolation: Error, CustomStringConvertible {
    package let seed: UInt64
    package let what: [String]
    /// The last requests, oldest first.
    package let requests: [String]

    package var description: String {
        "seed \(seed): " + what.joined(separator: "\n  ") + "\nafter\n  " + requests.joined(separator: "\n  ")
    }
}

/// Clients, workers, a clock and an unreliable server around one execution: issues random requests that could come, and
/// throws when an answer is not right.
///
/// What it holds: a decision leaves the execution unchanged; event ids are gapless; the state rebuilt from the bytes of
/// the journal is the live one, and is what the journal says; nothing that is due is forgotten; a closed run stays as
/// it is; every event and answer is owed to a request.
package final class World {
    package private(set) var coverage = Coverage()
    package internal(set) var execution: SagamoreEngine.Execution
    package let seed: UInt64
    let journal: any JournalBytes
    var random: SeededGenerator
    var now = Samples.noon
    var limits = Limits()
    var epoch: Int64 = 1
    var origin: CommandOrigin?
    /// The number of starts that have used the run.
    var attachments = 0
    /// Whether the run continues a chain.
    var continuesChain = false
    /// Whether another run follows.
    private(set) var hasSuccessor = false
    /// The tasks that Matching holds.
    var offers: [TaskOffer] = []
    var tokens: [WorkflowTaskToken] = []
    var activityTokens: [ActivityTaskToken] = []
    var lastCompletion: (request: WorkflowTaskCompletedRequest, answer: WorkflowTaskCompletion)?
    /// Running attempts need not answer before: an owner's change gave them time.
    /// The last time in which workers could not report.
    var outage = WorkerOutage.none
    /// The sticky workflow task whose worker is known to be gone.
    var abandonedTask: Int64 = 0
    var seenRequestIDs: Set<String> = []
    var acceptedSignals: [String] = []
    var statusEvents: [StatusEvent] = []
    /// What another process that reads each row as it comes has added up.
    private var follower: SagamoreEngine.Execution
    package private(set) var entries: [Entry] = []
    private var frameBytes: Int64 = 0
    private var requests: [String] = []

    package init(seed: UInt64, journal: any JournalBytes = MemoryJournal()) {
        self.seed = seed
        self.journal = journal
        random = SeededGenerator(seed: seed)
        execution = SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID)
        follower = execution
    }

    /// Runs a whole sequence: a start, `steps` random requests, and some more once the run is closed.
    package func run(steps: Int) throws {
        if random.once(in: 4) { tightenLimits() }
        try start()
        var left = steps
        while left > 0 {
            if !execution.isRunning { left = min(left, 4) }
            left -= 1
            // Many of the random actions find nothing to act on.
            let before = requests.count
            for _ in 0..<10 where requests.count == before { try step() }
            if random.once(in: 25) { try checkRebuilt() }
        }
        try checkRebuilt()
        try checkOwed()
    }

    private func tightenLimits() {
        limits.historyEvents = Int64.random(in: 20...60, using: &random)
        limits.signals = Int.random(in: 2...6, using: &random)
        limits.pendingChildren = Int.random(in: 1...2, using: &random)
        limits.pendingExternalSignals = 1
        limits.pendingExternalCancels = 1
        limits.pendingActivities = Int.random(in: 1...3, using: &random)
        limits.payloadBytes = Int.random(in: 60...100, using: &random)
        limits.suggestedEvents = 10
    }

    func violation(_ what: String...) -> WorldViolation {
        WorldViolation(seed: seed, what: what, requests: requests.suffix(25))
    }

    func require(_ condition: Bool, _ what: @autoclosure () -> String) throws(WorldViolation) {
        if !condition { throw violation(what()) }
    }

    /// Decides a request, checks and applies the decision, writes it and reads it back.
    ///
    /// - Parameter settles: the request may settle what a closed run owes.
    /// - Returns: nil when the request was refused without a trace.
    @discardableResult
    func perform(
        _ request: String,
        settles: Bool = false,
        _ decide: (SagamoreEngine.Execution) throws(RequestError) -> Decision
    ) throws -> Decision? {
        requests.append("\(now.nanoseconds - Samples.noon.nanoseconds) \(request)")
        let before = execution
        let decision: Decision
        do throws(RequestError) {
            let decided = try decide(execution)
            decision = execution.limit(of: decided, at: now, limits) ?? decided
        } catch {
            coverage.count("refused \(error.code)")
            requests.append("    \(error)")
            try require(execution.durable == before.durable, "a refused request changed the execution")
            return nil
        }
        try require(execution.durable == before.durable, "a decision changed the execution")
        try require(execution.nextDeadline == before.nextDeadline, "a decision changed the deadlines")
        requests += decision.outline.map { "    \($0)" }
        if !before.isRunning, !settles {
            let isNothing = decision.entries.isEmpty && decision.offers.isEmpty && decision.statusEvents.isEmpty
            try require(isNothing, "a decision on a closed run did something")
        }
        coverage.count(decision)
        try apply(decision)
        statusEvents += decision.statusEvents
        offers += decision.offers
        if !execution.isRunning { offers = [] }
        try checkLive()
        if let successor = decision.successor { try begin(successor) }
        return decision
    }

    private func apply(_ decision: Decision) throws {
        for entry in decision.entries {
            if case .event(let recorded) = entry {
                let expected = execution.durable.lastEventID + 1
                try require(
                    recorded.event.eventID == expected,
                    "event id \(recorded.event.eventID) after \(expected - 1)"
                )
                frameBytes += Int64(recorded.frame.count)
            }
            try execution.validate(entry)
            execution.apply(entry)
            if entry.isDurable { entries.append(entry) }
        }
        guard let row = JournalRow(decision) else { return }
        try journal.append(row)
        for entry in try row.entries() {
            try follower.validate(entry)
            follower.apply(entry)
        }
        try checkEqual(follower, "the state read row by row")
        try require(execution.durable.historyBytes == frameBytes, "historyBytes is not the size of the frames")
    }

    /// Starts the run that follows, and reads it back.
    private func begin(_ successor: Successor) throws {
        try require(!execution.isRunning && !hasSuccessor, "a run follows one that has not ended")
        hasSuccessor = true
        var next = SagamoreEngine.Execution(key: execution.key, runID: successor.runID)
        let decision = next.decide(successor.start, at: successor.at)
        requests += decision.outline.map { "    next run: \($0)" }
        coverage.count(decision)
        for entry in decision.entries { try next.applyValidated(entry) }
        var rebuilt = SagamoreEngine.Execution(key: execution.key, runID: successor.runID)
        for entry in try JournalRow(decision)?.entries() ?? [] { try rebuilt.applyValidated(entry) }
        try require(rebuilt.durable == next.durable, "the next run's state differs when it is read back")
        let differences = JournalReading(decision.entries).differences(from: next.durable)
        try require(differences.isEmpty, "the next run: \(differences)")
        let state = execution.durable
        try require(decision.statusEvents.isEmpty, "a run that follows publishes that it was accepted")
        try require(next.durable.origin == state.origin, "the next run belongs to another command")
        try require(next.durable.publishedStatusEvents == state.publishedStatusEvents, "the next run counts anew")
        try require(next.durable.firstRunID == state.firstRunID, "the next run belongs to another chain")
        try require(next.durable.executionDeadline == state.executionDeadline, "the time of the chain changed")
    }

    func checkEqual(_ other: SagamoreEngine.Execution, _ what: String) throws {
        guard other.durable != execution.durable else { return }
        let (left, right) = ("\(execution.durable)", "\(other.durable)")
        throw violation("\(what) differs from the live one", left, right)
    }

    /// Whether a limit of the history ended the run in place of what was asked.
    func endedByLimit(_ decision: Decision) -> Bool {
        guard case .refused = decision.reply else { return false }
        return !execution.isRunning
    }

    /// The process is gone with all that is volatile.
    func replaceExecution(with rebuilt: SagamoreEngine.Execution) { execution = rebuilt }
}
