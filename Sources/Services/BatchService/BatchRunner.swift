internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices
internal import SagamoreThreads

/// Does pages of batches. Used by one thread.
struct BatchRunner: Sendable {
    let history: any HistoryClient
    let visibility: any VisibilityClient
    let namespaces: any NamespaceRegistry
    let limits: LimitsInForce
    let clock: @Sendable () -> Instant

    /// How many runs are handled between two notes of how far a batch is.
    static let pageSize = 50
    /// How many of them at once.
    static let concurrency = 5
    /// Runs a second where a batch does not say how many, as in Temporal's server.
    static let defaultRate = 50.0
    /// The most that a batch may ask for.
    static let fastest = 1_000.0
    /// How often a run is tried while the service answers that it may be tried again.
    static let attempts = 20
    /// The longest wait for an answer.
    private static let patience = Duration.seconds(60)

    static func rate(of job: BatchJob) -> Double {
        let asked = Double(job.request.maxOperationsPerSecond)
        return asked > 0 ? min(asked, fastest) : defaultRate
    }

    /// Does the next page, and notes how far the batch is then.
    ///
    /// - Throws: what may pass: nothing is noted, and the page is done again.
    func doPage(of job: inout BatchJob) throws(RequestError) {
        guard let namespace = namespaces.namespace(numbered: job.namespace), !namespace.isDeleted else {
            return end(&job, .failed, "the namespace was deleted")
        }
        let action: BatchAction
        let page: (targets: [WorkflowReference?], next: [UInt8])
        do throws(RequestError) {
            action = try BatchAction(job.request)
            page = try self.page(of: job, namespace)
        } catch {
            guard !error.mayPass else { throw error }
            return end(&job, .failed, error.message)
        }
        let outcomes = perform(action, on: page.targets, job)
        job.completed += Int64(outcomes.count { $0 })
        job.failed += Int64(outcomes.count { !$0 })
        job.total = max(job.total, job.completed + job.failed)
        job.cursor = page.next
        if page.next.isEmpty { end(&job, .completed, "") }
    }

    private func end(_ job: inout BatchJob, _ state: BatchOperationState, _ reason: String) {
        job.state = state
        job.closedAt = clock()
        job.ending = reason
    }

    /// The runs of the next page, nil for what names none, and where the one behind it begins: nowhere, for the last.
    private func page(
        of job: BatchJob,
        _ namespace: NamespaceRecord
    ) throws(RequestError) -> (targets: [WorkflowReference?], next: [UInt8]) {
        let named = job.request.executions
        if !named.isEmpty {
            let first = Int(String(decoding: job.cursor, as: UTF8.self)) ?? 0
            let last = min(first + Self.pageSize, named.count)
            let targets = named[min(first, last)..<last].map { execution -> WorkflowReference? in
                let runID = RunID(execution.runID)
                guard !execution.workflowID.isEmpty, runID != nil || execution.runID.isEmpty else { return nil }
                let key = WorkflowKey(namespace: namespace.number, workflowID: execution.workflowID)
                return WorkflowReference(key: key, runID: runID)
            }
            return (targets, last == named.count ? [] : Array("\(last)".utf8))
        }
        let request = ListRequest(
            namespace: namespace,
            query: job.query,
            limit: Self.pageSize,
            token: job.cursor
        )
        let found = try answer { (reply: Reply<ListedRuns>) in visibility.list(request, reply: reply) }
        let targets = found.runs.compactMap { run -> WorkflowReference? in
            guard let execution = run.execution, let runID = RunID(execution.runID) else { return nil }
            let key = WorkflowKey(namespace: namespace.number, workflowID: execution.workflowID)
            return WorkflowReference(key: key, runID: runID)
        }
        return (targets, found.token)
    }

    /// - Returns: whether it was done, of each run.
    private func perform(_ action: BatchAction, on targets: [WorkflowReference?], _ job: BatchJob) -> [Bool] {
        let state = Monitor((next: 0, outcomes: [Bool](repeating: false, count: targets.count)))
        @Sendable func work() {
            while true {
                let index = state.withLock { state in
                    defer { state.next += 1 }
                    return state.next
                }
                guard index < targets.count else { return }
                let isDone = targets[index].map { perform(action, on: $0, job) } ?? false
                state.withLock { $0.outcomes[index] = isDone }
            }
        }
        let helpers = (1..<Self.concurrency).map { number in
            SystemThread.required("batch-\(number)") { work() }
        }
        work()
        for helper in helpers { helper.join() }
        return state.withLock { $0.outcomes }
    }

    private func perform(_ action: BatchAction, on target: WorkflowReference, _ job: BatchJob) -> Bool {
        var backoff = Backoff(longest: .seconds(5))
        for attempt in 1...Self.attempts {
            do throws(RequestError) {
                try BatchStep(action: action, job: job, history: history, limits: limits.current, clock: clock)
                    .perform(on: target)
                return true
            } catch {
                guard error.mayPass, attempt < Self.attempts else { return false }
                SystemThread.sleep(backoff.next())
            }
        }
        return false
    }

    private func answer<Answer>(_ ask: (Reply<Answer>) -> Void) throws(RequestError) -> Answer {
        try Answered<Answer>.wait(atMost: Self.patience, ask)
    }
}

/// Waits for the answer to a request.
enum Answered<Answer: Sendable> {
    static func wait(atMost limit: Duration, _ ask: (Reply<Answer>) -> Void) throws(RequestError) -> Answer {
        let outcome = Monitor<Result<Answer, RequestError>?>(nil)
        ask(Reply { answer in outcome.change { $0 = answer } })
        guard let answer = outcome.wait(atMost: limit, for: { $0 }) else {
            throw .unavailable("no answer came in time")
        }
        return try answer.get()
    }
}
