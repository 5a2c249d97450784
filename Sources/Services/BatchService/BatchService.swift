public import SagamoreAPI
public import SagamoreEngine
public import SagamoreLogging
public import SagamoreServices
internal import SagamoreThreads

/// Does the same to many runs, page by page, on a thread of its own. How far a batch is, is stored behind each page: it
/// goes on after a restart, and a page may be done twice.
public final class BatchService: BatchClient {
    private let store: PostgresBatchStore
    private let runner: BatchRunner
    private let visibility: any VisibilityClient
    private let clock: @Sendable () -> Instant
    private let log: Logger
    private let bell = Doorbell()
    private let work = Monitor(Work())
    private let threads = Locked<[SystemThread]>([])

    /// Calls that wait for the database.
    private struct Work {
        var calls: [@Sendable () -> Void] = []
        var isStopped = false
    }

    /// How many batches of a namespace may run at once, as in Temporal's server.
    static let runningLimit = 1
    /// How many calls may wait.
    static let callLimit = 100
    /// How long to wait for news when no batch runs. One that this process begins is noticed at once.
    static let rest = Duration.seconds(60)

    /// - Parameters:
    ///   - url: where the migrated database is, as libpq reads it.
    ///   - limits: those of payloads and identifiers.
    public init(
        url: String,
        history: any HistoryClient,
        visibility: any VisibilityClient,
        namespaces: any NamespaceRegistry,
        limits: LimitsInForce,
        clock: @escaping @Sendable () -> Instant,
        log: Logger
    ) {
        store = PostgresBatchStore(url: url)
        self.visibility = visibility
        self.clock = clock
        self.log = log
        runner = BatchRunner(
            history: history,
            visibility: visibility,
            namespaces: namespaces,
            limits: limits,
            clock: clock
        )
    }

    /// Starts the threads.
    public func start() {
        threads.withLock { threads in
            threads = [
                SystemThread.required("batches") { [self] in run() },
                SystemThread.required("batch-calls") { [self] in answer() },
            ]
        }
    }

    /// Ends the threads behind the page that is being done, and returns when they have ended.
    public func stop() {
        bell.stop()
        work.change { work in
            work.isStopped = true
            work.calls = []
        }
        for thread in threads.withLock({ $0 }) { thread.join() }
    }

    // MARK: Calls

    public func start(_ request: StartBatchOperationRequest, in namespace: NamespaceRecord, reply: Reply<Void>) {
        do throws(RequestError) {
            _ = try BatchAction(request)
        } catch {
            return reply.fail(error)
        }
        var job = BatchJob(namespace: namespace.number, id: request.jobID, request: request, startedAt: clock())
        if !request.executions.isEmpty {
            job.total = Int64(request.executions.count)
            return insert(job, reply)
        }
        let begun = job
        // What is wrong with the filter is said of what the client wrote.
        count(request.visibilityQuery, namespace, reply) { [self] _ in
            count(begun.query, namespace, reply) { [self] total in
                var job = begun
                job.total = total
                insert(job, reply)
            }
        }
    }

    private func count(
        _ query: String,
        _ namespace: NamespaceRecord,
        _ reply: Reply<Void>,
        _ next: @escaping @Sendable (Int64) -> Void
    ) {
        visibility.count(
            query,
            in: namespace,
            reply: Reply { outcome in
                switch outcome {
                case .success(let counted): next(counted.reduce(0) { $0 + $1.count })
                case .failure(let error): reply.fail(error)
                }
            }
        )
    }

    private func insert(_ job: BatchJob, _ reply: Reply<Void>) {
        call(reply) { [self] () throws(RequestError) in
            try store.insert(job, limit: Self.runningLimit)
            log.info(
                "a batch begins",
                metadata: ["job_id": "\(job.id)", "type": "\(job.type)", "runs": "\(job.total)"]
            )
            bell.ring()
            reply.succeed(())
        }
    }

    public func stop(_ request: StopBatchOperationRequest, in namespace: NamespaceRecord, reply: Reply<Void>) {
        call(reply) { [self] () throws(RequestError) in
            let id = request.jobID
            guard try store.stop(id, namespace: namespace.number, at: clock(), reason: request.reason) else {
                let isKnown = try store.load(id, namespace: namespace.number) != nil
                throw isKnown ? .workflowClosed : .workflowNotFound(id)
            }
            log.info("a batch was stopped", metadata: ["job_id": "\(id)", "reason": "\(request.reason)"])
            reply.succeed(())
        }
    }

    public func describe(_ jobID: String, in namespace: NamespaceRecord, reply: Reply<DescribeBatchOperationResponse>) {
        call(reply) { [self] () throws(RequestError) in
            guard let job = try store.load(jobID, namespace: namespace.number) else {
                throw .workflowNotFound(jobID)
            }
            reply.succeed(job.description)
        }
    }

    public func list(
        _ request: ListBatchOperationsRequest,
        in namespace: NamespaceRecord,
        reply: Reply<ListBatchOperationsResponse>
    ) {
        call(reply) { [self] () throws(RequestError) in
            let limit = Int((1...1_000).contains(request.pageSize) ? request.pageSize : 1_000)
            var last: (startedAt: Instant, id: String)?
            if !request.nextPageToken.isEmpty {
                let parts = String(decoding: request.nextPageToken, as: UTF8.self).split(separator: " ", maxSplits: 1)
                guard parts.count == 2, let time = Int64(parts[0]), !parts[1].contains("\0") else {
                    throw .invalidArgument("invalid NextPageToken: it is none of this list")
                }
                last = (Instant(nanoseconds: time), String(parts[1]))
            }
            let jobs = try store.list(namespace: namespace.number, before: last, limit: limit + 1)
            var response = ListBatchOperationsResponse()
            response.operationInfo = jobs.prefix(limit).map(\.information)
            if jobs.count > limit, let end = jobs.prefix(limit).last {
                response.nextPageToken = Array("\(end.startedAt.nanoseconds) \(end.id)".utf8)
            }
            reply.succeed(response)
        }
    }

    private func call<Answer>(_ reply: Reply<Answer>, _ body: @escaping @Sendable () throws(RequestError) -> Void) {
        let isAdded = work.changeForOne { work in
            guard !work.isStopped, work.calls.count < Self.callLimit else { return false }
            work.calls.append {
                do throws(RequestError) { try body() } catch { reply.fail(error) }
            }
            return true
        }
        if !isAdded { reply.fail(.unavailable("too many calls about batches, or the server is stopping; try again")) }
    }

    private func answer() {
        while true {
            let call = work.wait { work -> (@Sendable () -> Void)?? in
                if !work.calls.isEmpty { return work.calls.removeFirst() }
                return work.isStopped ? .some(nil) : nil
            }
            guard let call else { return }
            call()
        }
    }

    // MARK: The batches

    private func run() {
        var backoff = Backoff(longest: .seconds(10))
        // When the next page of a batch may begin. One that waits for its time holds up no other.
        var due: [BatchJob.Name: MonotonicTime] = [:]
        while !bell.isStopped {
            do throws(RequestError) {
                let jobs = try store.running()
                let names = Set(jobs.map(\.name))
                due = due.filter { names.contains($0.key) }
                for job in jobs where !bell.isStopped && due[job.name, default: .now] <= .now {
                    due[job.name] = try advance(job)
                }
                backoff.reset()
                if jobs.isEmpty { try store.deleteOld(at: clock()) }
                bell.wait(due.values.min().map { $0 - .now } ?? (jobs.isEmpty ? Self.rest : .zero))
            } catch {
                log.warning("a batch cannot go on, retrying", metadata: ["error": "\(error.message)"])
                bell.wait(backoff.next())
            }
        }
    }

    /// Does a page of a batch.
    ///
    /// - Returns: when the next one may begin; nil if the batch has ended.
    private func advance(_ job: BatchJob) throws(RequestError) -> MonotonicTime? {
        let began = MonotonicTime.now
        var job = job
        let count = job.completed + job.failed
        try runner.doPage(of: &job)
        guard try store.save(job) else { return nil }
        if job.state != .running {
            log.info(
                "a batch has ended",
                metadata: [
                    "job_id": "\(job.id)", "completed": "\(job.completed)", "failed": "\(job.failed)",
                    "reason": "\(job.ending)",
                ]
            )
            return nil
        }
        return began + .seconds(Double(job.completed + job.failed - count) / BatchRunner.rate(of: job))
    }
}
