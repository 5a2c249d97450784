/// What a pipeline has handed to libpq and what has come back: decides what became of it. Pure.
///
/// The server answers in order, so an error before the commit's own answer means that nothing was committed; without
/// any answer, a commit that has been handed over may have happened.
struct PipelineProgress {
    /// One thing handed over that gets an answer of its own.
    enum Step: Equatable {
        /// BEGIN.
        case begin
        /// The statement at this index of the batch (nil: BEGIN or COMMIT) is prepared under its name.
        case prepare(Int?)
        /// The statement at this index runs.
        case execute(Int)
        /// COMMIT.
        case commit
    }

    /// An answer to the current step.
    enum Answer {
        /// It succeeded; of a commit, whether the server says COMMIT (it says ROLLBACK after a failure).
        case done(isCommit: Bool)
        /// The server refused it. `isFatal`: and closes the connection.
        case refused(PostgresError, isFatal: Bool)
        /// It was skipped, since a step before it failed.
        case skipped
    }

    /// Whether BEGIN and COMMIT are around the statements.
    let isTransaction: Bool
    /// Whether no statement changes anything.
    let readsOnly: Bool
    private(set) var steps: [Step] = []
    /// The step whose answer is due next; `steps.count` when only the final synchronization is left.
    private(set) var position = 0
    /// The first error, with its statement's index.
    private(set) var failure: PostgresError?
    private var commitIsHandedOver = false
    private var isCommitted = false

    init(isTransaction: Bool, readsOnly: Bool, expecting count: Int) {
        self.isTransaction = isTransaction
        self.readsOnly = readsOnly
        steps.reserveCapacity(count)
    }

    /// The step that the next answer belongs to; nil when it is the synchronization.
    var current: Step? { position < steps.count ? steps[position] : nil }

    /// A step is about to be given to libpq: from here on the server may see it.
    mutating func handOver(_ step: Step) {
        steps.append(step)
        if step == .commit { commitIsHandedOver = true }
    }

    /// The server answered the current step (several answers to one step are fine).
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
                // A session that ends while it commits may have got past the commit record.
                let isSettled = isTransaction ? current != .commit && current != nil : readsOnly || current != nil
                error.code = isSettled ? .connectionLost : .outcomeUnknown
            }
            failure = error
        case .skipped:
            if failure == nil { failure = PostgresError(.server, "a statement was skipped without an error") }
        }
    }

    /// All answers to the current step are in.
    mutating func advance() { position += 1 }

    /// All steps are answered, or the connection was lost with `lost`: what became of it; nil is success.
    func outcome(lost: PostgresError?) -> PostgresError? {
        if isCommitted { return nil }
        if let failure { return failure }
        guard var lost else { return nil }
        let isUnsettled = isTransaction ? commitIsHandedOver : !readsOnly && !steps.isEmpty
        lost.code = isUnsettled ? .outcomeUnknown : .connectionLost
        return lost
    }
}
