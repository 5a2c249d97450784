internal import SagamoreAPI
public import SagamoreEngine
public import SagamoreLogging
internal import SagamorePostgresClient
public import SagamoreServices
internal import SagamoreThreads

/// Finds runs in the tables that their owners write, so that what was acknowledged is found.
///
/// Questions are answered by a few threads, each with a session of its own that only reads. As many may wait as have
/// room; more are refused. One that takes too long is given up.
public final class PostgresVisibility: VisibilityClient {
    typealias Work = @Sendable (PostgresConnection) throws(PostgresError) -> Void

    private struct Question: Sendable {
        let work: Work
        let fail: @Sendable (RequestError) -> Void
    }

    private struct State {
        var waiting: [Question] = []
        var isStopped = false
    }

    private let url: String
    private let log: Logger
    private let state = Monitor(State())
    private let threads = Locked<[SystemThread]>([])

    /// How many questions are answered at once.
    static let threadCount = 2
    /// How many may wait.
    static let waitingLimit = 100
    /// How long an answer may take.
    static let patience = "10s"

    /// - Parameter url: where the migrated database is, as libpq reads it.
    public init(url: String, log: Logger) {
        self.url = url
        self.log = log
    }

    /// Starts the threads.
    public func start() {
        threads.withLock { threads in
            threads = (0..<Self.threadCount).map { number in
                SystemThread.required("visibility-\(number)") { [self] in run() }
            }
        }
    }

    /// Refuses what waits, ends the threads, and returns when they have ended.
    public func stop() {
        let waiting = state.change { state in
            defer { state.waiting = [] }
            state.isStopped = true
            return state.waiting
        }
        for question in waiting { question.fail(.unavailable("the server is stopping; try again")) }
        for thread in threads.withLock({ $0 }) { thread.join() }
    }

    // MARK: Questions

    public func list(_ request: ListRequest, reply: Reply<ListedRuns>) {
        let (number, catalog) = (request.namespace.number, request.namespace.searchAttributes)
        let list = ListIdentity(namespace: number, query: request.query)
        let (filter, token): (Filter, PageToken?)
        do throws(RequestError) {
            filter = try Self.filter(request.query, catalog)
            token = try Self.token(request.token, of: list)
        } catch {
            return reply.fail(error)
        }
        // One more than the page has tells whether another one follows.
        let limit = request.limit
        let query = ListQuery(filter, namespace: number, after: token, limit: limit + 1)
        ask(reply) { (connection) throws(PostgresError) in
            let rows = try connection.query(query.statement, query.values)
            let count = min(rows.rowCount, limit)
            var next: [UInt8] = []
            if rows.rowCount > limit, count > 0 {
                next = ListedRow(rows, count - 1).token(filter.order?.field).bytes(of: list)
            }
            let runs = (0..<count).map { ListedRow(rows, $0).information(catalog) }
            reply.succeed(ListedRuns(runs: runs, token: next))
        }
    }

    public func count(_ query: String, in namespace: NamespaceRecord, reply: Reply<[CountedRuns]>) {
        let filter: Filter
        do throws(RequestError) {
            filter = try Self.filter(query, namespace.searchAttributes)
        } catch {
            return reply.fail(error)
        }
        let count = CountQuery(filter, namespace: namespace.number)
        ask(reply) { (connection) throws(PostgresError) in
            reply.succeed(count.counts(try connection.query(count.statement, count.values)))
        }
    }

    private static func filter(_ text: String, _ catalog: SearchAttributeCatalog) throws(RequestError) -> Filter {
        do throws(FilterError) {
            return try Filter(text, catalog)
        } catch {
            throw .invalidArgument("invalid query: \(error)")
        }
    }

    static func token(_ bytes: [UInt8], of list: ListIdentity) throws(RequestError) -> PageToken? {
        if bytes.isEmpty { return nil }
        guard let token = PageToken(bytes, of: list) else {
            throw .invalidArgument("invalid NextPageToken: it is none of this list")
        }
        return token
    }

    func ask<Answer>(_ reply: Reply<Answer>, _ work: @escaping Work) {
        let isAdded = state.changeForOne { state in
            guard !state.isStopped, state.waiting.count < Self.waitingLimit else { return false }
            state.waiting.append(Question(work: work, fail: { reply.fail($0) }))
            return true
        }
        if isAdded { return }
        reply.fail(RequestError(.resourceExhausted, "too many lists and counts at once; try again later"))
    }

    // MARK: Threads

    private func run() {
        var connection: PostgresConnection?
        while true {
            let question = state.wait { state -> Question?? in
                if !state.waiting.isEmpty { return state.waiting.removeFirst() }
                return state.isStopped ? .some(nil) : nil
            }
            guard let question else { return }
            answer(question, &connection)
        }
    }

    /// A session that was lost while nobody asked is replaced once.
    private func answer(_ question: Question, _ connection: inout PostgresConnection?) {
        for attempt in 1...2 {
            let isNew = connection == nil
            do throws(PostgresError) {
                let session = if let connection { connection } else { try connect() }
                connection = session
                return try question.work(session)
            } catch {
                if error.code == .server { return question.fail(refusal(error)) }
                connection = nil
                if attempt == 2 || isNew { return question.fail(refusal(error)) }
            }
        }
    }

    private func connect() throws(PostgresError) -> PostgresConnection {
        try PostgresConnection(url, applicationName: "sagamore visibility", sessionSettings: Self.settings)
    }

    private static let settings: [(name: String, value: String)] = [
        ("default_transaction_read_only", "on"),
        ("statement_timeout", patience),
        // Compiling a statement takes longer than most answers.
        ("jit", "off"),
        // Indexes are in memory, or soon will be.
        ("random_page_cost", "1.1"),
    ]

    private func refusal(_ error: PostgresError) -> RequestError {
        // 57014: the statement's time was over.
        if error.sqlState == "57014" {
            return RequestError(
                .resourceExhausted,
                "the list or count took longer than \(Self.patience); narrow the filter, by a time or a type"
            )
        }
        if error.isTransient || error.code == .connectionLost || error.code == .cannotConnect {
            return .unavailable("the database cannot be asked now: \(error.message)")
        }
        log.error("a list or count failed", metadata: ["error": "\(error)"])
        return RequestError(.internalError, "the list or count failed: \(error)")
    }
}
