/// The progress of a pipeline: what was passed to libpq, what was answered, and the resulting outcome. Pure.
///
/// The server answers in order. So an error before the answer to the commit means that nothing was committed. Without
/// an answer, a commit that was passed to libpq may have happened.
struct PipelineProgress {
    /// One step with its own answer.
    enum Step: Equatable {
        /// BEGIN.
        case begin
        /// Prepares the statement at this index of the batch; nil for BEGIN or COMMIT.
        case prepare(Int?)
        /// Runs the statement at this index.
        case execute(Int)
        /// COMMIT.
        case commit
    }

    /// An answer to the current step.
    enum Answer {
        /// Success. For a commit, whether the server answered COMMIT (it answers ROLLBACK after a failure).
        case done(isCommit: Bool)
        /// The server rejected it, and closes the connection when `isFatal`.
        case refused(PostgresError, isFatal: Bool)
        /// It was skipped because an earlier step failed.
        case skipped
    }

    /// Whether the statements are enclosed in BEGIN and COMMIT.
    let isTransaction: Bool
    /// Whether all statements are read-only.
    let readsOnly: Bool
    private(set) var steps: [Step] = []
    /// The step whose answer is next; `steps.count` when only the final synchronization is left.
    private(set) var position = 0
    /// The first error, with the index of its statement.
    private(set) var failure: PostgresError?
    private var commitIsHandedOver = false
    private var isCommitted = false

    init(isTransaction: Bool, readsOnly: Bool, expecting count: Int) {
        self.isTransaction = isTransaction
        self.readsOnly = readsOnly
        steps.reserveCapacity(count)
    }

    /// The step of the next answer; nil for the synchronization.
    var current: Step? { position < steps.count ? steps[position] : nil }

    /// Records a step before it is passed to libpq: from then on the server may see it.
    mutating func handOver(_ step: Step) {
        steps.append(step)
        if step == .commit { commitIsHandedOver = true }
    }

    /// Records an answer to the current step. A step may have several answers.
    mutating func received(_ answer: Answer) {
        switch answer {
        case .done(let isCommit):
            guard current == .commit, failure == nil else { return }
            if isCommit {
                isCommitted = true
            } else {
                failure = PostgresError(.server, "the server rolled the transaction back", sqlState: "25P02")
            }
        case .refused(var error, let isFatal):
            guard failure == nil, !isCommitted else { return }
            switch current {
            case .prepare(let index): error.statementIndex = index
            case .execute(let index): error.statementIndex = index
            case .begin, .commit, nil: break
            }
            if isFatal {
                // A session that ends during a commit may have written the commit record.
                let isSettled = isTransaction ? current != .commit && current != nil : readsOnly || current != nil
                error.code = isSettled ? .connectionLost : .outcomeUnknown
            }
            failure = error
        case .skipped:
            if failure == nil { failure = PostgresError(.server, "a statement was skipped without an error") }
        }
    }

    /// Moves to the next step: the current one is answered.
    mutating func advance() { position += 1 }

    /// The outcome after all answers, or after the connection was lost with `lost`; nil for success.
    func outcome(lost: PostgresError?) -> PostgresError? {
        if isCommitted { return nil }
        if let failure { return failure }
        guard var lost else { return nil }
        let isUnsettled = isTransaction ? commitIsHandedOver : !readsOnly && !steps.isEmpty
        lost.code = isUnsettled ? .outcomeUnknown : .connectionLost
        return lost
    }
}
