internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreServices

/// A query on its way to a worker's answer. `QueryTable` moves it from state to state.
struct PendingQuery: Sendable {
    /// The query's own task, which takes it to a worker while no workflow task is due.
    struct OwnTask: Equatable, Sendable {
        /// The run's task queue, which gets the query if the sticky queue has lost its worker.
        let taskQueue: String
        /// Empty if there is none.
        let stickyQueue: String
        /// The id of the WorkflowTaskStarted event of the last task that a worker completed.
        let previousStartedEventID: Int64

        var isSticky: Bool { !stickyQueue.isEmpty }

        /// The same task, for any worker of the run's queue.
        var withoutStickyQueue: OwnTask {
            OwnTask(taskQueue: taskQueue, stickyQueue: "", previousStartedEventID: previousStartedEventID)
        }
    }

    enum State: Equatable, Sendable {
        /// The query has not been routed yet.
        ///
        /// Can transition to: `waitingForTask`, `offered`, `answered`.
        case asked
        /// The query waits for the run's next workflow task, which applies earlier signals first.
        ///
        /// Can transition to: `riding`, `offered`, `answered`.
        case waitingForTask
        /// A worker holds the query with a workflow task, whose completion carries the answer.
        ///
        /// Can transition to: `waitingForTask`, `offered`, `answered`.
        case riding
        /// The query waits in a task queue, as a task of its own.
        ///
        /// Can transition to: `offered` (the normal queue instead of the sticky one), `held`, `answered`.
        case offered(OwnTask)
        /// A worker holds the query as a task of its own.
        ///
        /// Can transition to: `offered` (the task did not reach the worker), `answered`.
        case held(OwnTask)
        /// The query has its outcome and has left the table. Terminal.
        case answered

        /// Whether the query belongs to the run's workflow tasks. Its run has to stay in memory.
        var isBound: Bool { self == .waitingForTask || self == .riding }

        func canTransition(to next: State) -> Bool {
            switch (self, next) {
            case (.asked, .waitingForTask), (.asked, .offered): true
            case (.waitingForTask, .riding), (.waitingForTask, .offered): true
            case (.riding, .waitingForTask), (.riding, .offered): true
            case (.offered(let task), .offered(let other)): task.isSticky && !other.isSticky
            case (.offered(let task), .held(let same)), (.held(let task), .offered(let same)): task == same
            case (.answered, _): false
            case (_, .answered): true
            default: false
            }
        }
    }

    let id: UInt64
    let key: WorkflowKey
    let runID: RunID
    let query: WorkflowQuery
    let deadline: Instant
    private let reply: Reply<QueryOutcome>
    private(set) var state = State.asked

    init(
        id: UInt64,
        key: WorkflowKey,
        runID: RunID,
        query: WorkflowQuery,
        deadline: Instant,
        reply: Reply<QueryOutcome>
    ) {
        self.id = id
        self.key = key
        self.runID = runID
        self.query = query
        self.deadline = deadline
        self.reply = reply
    }

    mutating func transition(to next: State) {
        precondition(state.canTransition(to: next), "a query can't go from \(state) to \(next)")
        state = next
    }

    /// The same query, abandoned before it entered the table.
    var abandoned: PendingQuery {
        var query = self
        precondition(query.state == .asked, "a query that is \(query.state) is in the table")
        query.transition(to: .answered)
        return query
    }

    /// Gives the caller the outcome. The query has left the table.
    func finish(_ outcome: Result<QueryAnswer, RequestError>) {
        precondition(state == .answered, "a query that is \(state) has no outcome yet")
        switch outcome {
        case .success(.answered(let result)): reply.succeed(.answered(result))
        case .success(.failed(let message, let failure)):
            reply.fail(RequestError(.invalidArgument, message, detail: .queryFailed(failure)))
        case .failure(let error): reply.fail(error)
        }
    }
}
