internal import SagamoreEngine
public import SagamoreLogging
internal import SagamorePostgresClient
public import SagamoreServices
internal import SagamoreThreads

/// Deletes what deleted namespaces have left: it terminates their open runs, deletes the closed ones, and then the
/// namespace's row. It works in small steps on a thread of its own. What is left to do is in the database, so it goes
/// on after a restart.
public final class NamespaceReclaimer: Sendable {
    private let url: String
    private let directory: PostgresNamespaceDirectory
    private let history: any HistoryClient
    private let pace: Pace
    private let log: Logger
    private let bell = Doorbell()
    private let thread = Locked<SystemThread?>(nil)

    /// How fast it works.
    public struct Pace: Sendable {
        /// The most runs of one step.
        public var runLimit = 100
        /// The pause after a step, so that others get their turn.
        public var pause = Duration.milliseconds(20)
        /// How long to wait for news when nothing is left to do. A deletion by this process is noticed at once.
        public var rest = Duration.seconds(60)
        /// How long after its deletion the row of a namespace stays. Requests that had found the namespace before may
        /// still add to it.
        public var grace = Duration.seconds(10)

        /// The defaults.
        public init() {}
    }

    /// - Parameter url: where the database is, as libpq reads it.
    public init(
        url: String,
        directory: PostgresNamespaceDirectory,
        history: any HistoryClient,
        pace: Pace = Pace(),
        log: Logger
    ) {
        self.url = url
        self.directory = directory
        self.history = history
        self.pace = pace
        self.log = log
    }

    /// Starts the thread.
    public func start() {
        let bell = bell
        directory.onDeletion { bell.ring() }
        thread.withLock { $0 = SystemThread.required("namespaces") { [self] in run() } }
    }

    /// Ends the thread, and returns when it has ended.
    public func stop() {
        bell.stop()
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        running?.join()
    }

    private func run() {
        var backoff = Backoff(longest: .seconds(10))
        while !bell.isStopped {
            do throws(PostgresError) {
                let connection = try PostgresConnection(url, applicationName: "sagamore namespaces")
                defer { connection.close() }
                try work(on: connection, &backoff)
            } catch {
                log.warning(
                    "failed to delete the runs of deleted namespaces, retrying",
                    metadata: ["error": "\(error)"]
                )
                bell.wait(backoff.next())
            }
        }
    }

    /// Works until it is stopped, or until nothing is left to do: then it waits, without a connection.
    private func work(on connection: PostgresConnection, _ backoff: inout Backoff) throws(PostgresError) {
        while !bell.isStopped {
            let numbers = try connection.query(ReclaimStatements.deleted, []).numbers
            if numbers.isEmpty { break }
            for number in numbers where !bell.isStopped { try reclaim(number, on: connection) }
            backoff.reset()
            bell.wait(pace.pause)
        }
        if !bell.isStopped { bell.wait(pace.rest) }
    }

    /// One step.
    private func reclaim(_ number: Int32, on connection: PostgresConnection) throws(PostgresError) {
        let limit = PostgresValue.int64(Int64(pace.runLimit))
        // First of all: they would start new runs.
        let schedules = try connection.query(ReclaimStatements.deleteSchedules, [.int32(number), limit])
        guard schedules.rowCount < pace.runLimit else { return }
        let open = try connection.query(ReclaimStatements.openRuns, [.int32(number), limit])
        terminate(open, of: number)
        let closed = try connection.query(ReclaimStatements.deleteRuns, [.int32(number), limit])
        guard open.rowCount == 0, closed.rowCount < pace.runLimit else { return }
        let seconds = pace.grace.components.seconds
        let gone = try connection.query(ReclaimStatements.deleteNamespace, [.int32(number), .int64(seconds)])
        guard gone.rowCount > 0 else {
            bell.wait(.milliseconds(200))
            return
        }
        log.info("a deleted namespace is gone", metadata: ["namespace": "\(gone.text(0, 0))"])
        try? directory.refresh()
    }

    /// Terminates runs, and returns when each is terminated or was refused; then the next step finds it again.
    private func terminate(_ open: PostgresResult, of number: Int32) {
        let rest = Locked(open.rowCount)
        let answered = Doorbell()
        for row in 0..<open.rowCount {
            let id = open.uuid(row, 1)
            let key = WorkflowKey(namespace: number, workflowID: open.text(row, 0))
            let workflow = WorkflowReference(key: key, runID: RunID(high: id.0, low: id.1))
            let request = TerminateRequest(reason: "the namespace is deleted", identity: serverIdentity)
            history.terminate(
                workflow,
                request,
                reply: Reply { _ in
                    let isLast = rest.withLock { rest in
                        rest -= 1
                        return rest == 0
                    }
                    if isLast { answered.ring() }
                }
            )
        }
        if open.rowCount > 0 { answered.wait(.seconds(30)) }
    }
}

extension PostgresResult {
    fileprivate var numbers: [Int32] { (0..<rowCount).map { int32($0, 0) } }
}

/// What the reclaimer reads and deletes.
private enum ReclaimStatements {
    static let deleted = PostgresStatement(
        "reclaim_namespaces",
        "select number from sagamore.namespaces where deleted_at is not null order by number",
        readsOnly: true
    )

    static let openRuns = PostgresStatement(
        "reclaim_open_runs",
        """
        select open_workflow_id, run_id from sagamore.alarms where open_namespace = $1
            order by open_workflow_id limit $2
        """,
        readsOnly: true
    )

    static let deleteSchedules = PostgresStatement(
        "reclaim_schedules",
        """
        with old as (
            delete from sagamore.schedules where (namespace, schedule_id) in (
                select namespace, schedule_id from sagamore.schedules where namespace = $1 limit $2
            ) returning instance
        ), found as (
            delete from sagamore.search_values v using old where v.run_id = old.instance
        )
        select instance from old
        """
    )

    /// A closed run that has an alarm owes something, and stays until it doesn't.
    static let deleteRuns = PostgresStatement(
        "reclaim_runs",
        """
        with old as (
            select run_id from sagamore.runs r where namespace = $1 and closed_at is not null
                and not exists (select from sagamore.alarms a where a.run_id = r.run_id)
            limit $2
        ), journal as (
            delete from sagamore.journal j using old where j.run_id = old.run_id
        ), snapshots as (
            delete from sagamore.snapshots s using old where s.run_id = old.run_id
        ), heartbeats as (
            delete from sagamore.heartbeats h using old where h.run_id = old.run_id
        ), found as (
            delete from sagamore.search_values v using old where v.run_id = old.run_id
        ), runs as (
            delete from sagamore.runs r using old where r.run_id = old.run_id
        )
        select run_id from old
        """
    )

    static let deleteNamespace = PostgresStatement(
        "reclaim_namespace",
        """
        with gone as (
            delete from sagamore.namespaces n where number = $1
                and deleted_at < now() - $2::bigint * interval '1 second'
                and not exists (select from sagamore.runs r where r.namespace = n.number)
                returning number, name
        ), attributes as (
            delete from sagamore.search_attributes a using gone where a.namespace = gone.number
        )
        select name from gone
        """
    )
}
