public import SagamoreEngine

/// What clients were told: each acknowledged fact must hold for ever.
///
/// Unchecked: the whole world runs in one thread.
public final class ClientLedger: @unchecked Sendable {
    /// What clients know of one run.
    struct Run {
        /// The request ids of the signals that were acknowledged.
        var signals: [String] = []
        /// Whether a termination was acknowledged.
        var isTerminated = false
        /// Whether a cancel request was acknowledged.
        var isCancelRequested = false
        /// How the run closed, once anyone was told.
        var end: RunEnd?
        /// What was told of updates, by their ids.
        var updates: [String: UpdateEnd] = [:]
        /// The most signals that an answer to a query lacks, although they were acknowledged before it was asked.
        var missedSignals = 0
    }

    /// A start that was acknowledged.
    public struct Start: Sendable {
        /// The request that started the run.
        public let requestID: String
        /// The run.
        public let runID: RunID
    }

    private var runs: [RunID: Run] = [:]
    private var starts: [WorkflowKey: [Start]] = [:]
    private var startedRuns: Set<RunID> = []
    private var keys: [WorkflowKey] = []
    /// Request ids of starts that another start may have superseded: a late repetition starts another run.
    private var superseded: Set<String> = []
    private var sentSignals: [WorkflowKey: Int] = [:]
    private let violation: (String) -> Void

    /// - Parameter violation: is told what must not be.
    public init(violation: @escaping (String) -> Void) { self.violation = violation }

    /// The workflows with an acknowledged start, in the order of the first acknowledgments.
    public var startedWorkflows: [WorkflowKey] { keys }
    /// The acknowledged starts of a workflow, in order.
    public func starts(of key: WorkflowKey) -> [Start] { starts[key] ?? [] }
    func run(_ id: RunID) -> Run { runs[id] ?? Run() }
    /// Whether the start of this run was acknowledged.
    func knows(_ run: RunID) -> Bool { startedRuns.contains(run) }

    /// Forgets what was acknowledged.
    func forget() {
        runs = [:]
        starts = [:]
        keys = []
        startedRuns = []
    }

    /// Notes that a start was acknowledged. The same request has to name the same run each time.
    func started(_ key: WorkflowKey, _ requestID: String, _ run: RunID) {
        if let known = starts[key]?.first(where: { $0.requestID == requestID }) {
            if known.runID != run, !superseded.contains(requestID) {
                violation("request \(requestID) started the run \(known.runID) of \(key.workflowID) and the run \(run)")
            }
            return
        }
        if starts[key] == nil { keys.append(key) }
        starts[key, default: []].append(Start(requestID: requestID, runID: run))
        startedRuns.insert(run)
    }

    /// Notes that another start of a workflow is about to be sent.
    func supersede(_ requestID: String) { superseded.insert(requestID) }

    /// Notes that a signal is about to be sent for the first time.
    public func sendsSignal(to key: WorkflowKey) { sentSignals[key, default: 0] += 1 }
    /// The number of different signals that were sent to any run of a workflow.
    func sentSignals(to key: WorkflowKey) -> Int { sentSignals[key] ?? 0 }
    /// The number of different signals to a run that were acknowledged.
    func acknowledgedSignals(of run: RunID) -> Int { runs[run]?.signals.count ?? 0 }

    /// Notes that a signal was acknowledged.
    func signaled(_ run: RunID, _ requestID: String) {
        guard runs[run]?.signals.contains(requestID) != true else { return }
        runs[run, default: Run()].signals.append(requestID)
    }

    /// Notes that an answer to a query lacks signals that were acknowledged before. It may if the run was cut before
    /// its code saw them.
    func missedSignals(_ run: RunID, _ count: Int) {
        runs[run, default: Run()].missedSignals = max(count, runs[run]?.missedSignals ?? 0)
    }

    /// Notes how far an update has come. What its caller hears once it has ended stays so.
    func updated(_ run: RunID, _ id: String, _ end: UpdateEnd) {
        let known = runs[run]?.updates[id]
        if end == .accepted, known != nil { return }
        if let known, known != .accepted, known != end {
            violation("update \(id) of run \(run) was seen as \(known), and then as \(end)")
        }
        runs[run, default: Run()].updates[id] = end
    }

    /// Notes that a termination of this very run was acknowledged.
    func terminated(_ run: RunID) { runs[run, default: Run()].isTerminated = true }

    /// Notes that a cancel request to this very run was acknowledged.
    func cancelRequested(_ run: RunID) { runs[run, default: Run()].isCancelRequested = true }

    /// Notes that a run was seen open or closed.
    ///
    /// - Parameter before: how the run was known to have closed when this was asked. Answers may overtake each other.
    func saw(_ run: RunID, _ end: RunEnd?, knownBefore before: RunEnd?) {
        let known = end == nil ? before : runs[run]?.end
        if let known, known != end {
            violation("run \(run) was seen as \(known), and then as \(end.map { "\($0)" } ?? "open")")
        }
        if let end { runs[run, default: Run()].end = end }
    }
}
