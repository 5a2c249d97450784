internal import SagamoreAPI
public import SagamoreEngine
public import SagamoreLogging
internal import SagamorePostgresClient
internal import SagamoreScheduling
public import SagamoreServices
internal import SagamoreThreads

/// The shell around `ScheduleBook`: it brings calls, answers and the time to the book, and does what the book wants.
///
/// One thread owns the book. Another one has the database, so that no commit delays a start. Starts are decided by the
/// service that owns executions, on the book's thread.
public final class ScheduleService: ScheduledRunListener {
    /// What happens to the book, beside the passing of time.
    private enum Event: Sendable {
        case call(ScheduleCall, ScheduleName, Reply<ScheduleAnswer>)
        case performed(ScheduleDemand, ScheduleName, RunID?)
        case refused(ScheduleDemand, ScheduleName)
        case failed(ScheduleDemand, ScheduleName)
        case stored(ScheduleStoreOutcome)
    }

    private struct Inbox {
        var events: [Event] = []
        var isStopped = false
    }

    private let url: String
    private let history: any HistoryClient
    let namespaces: any NamespaceDirectory
    let visibility: any ScheduleVisibility
    let limits: LimitsInForce
    let clock: @Sendable () -> Instant
    private let metrics: ScheduleMetrics
    private let log: Logger
    private let inbox = Monitor(Inbox())
    private let thread = Locked<SystemThread?>(nil)

    /// How many calls may wait for their answers.
    private static let callLimit = 10_000
    /// The longest wait: a clock that is set is noticed then.
    private static let longestWait = Duration.seconds(1)

    /// - Parameter url: where the migrated database is, as libpq reads it.
    public init(
        url: String,
        history: any HistoryClient,
        namespaces: any NamespaceDirectory,
        visibility: any ScheduleVisibility,
        limits: LimitsInForce,
        clock: @escaping @Sendable () -> Instant,
        metrics: ScheduleMetrics = ScheduleMetrics(),
        log: Logger
    ) {
        self.url = url
        self.history = history
        self.namespaces = namespaces
        self.visibility = visibility
        self.limits = limits
        self.clock = clock
        self.metrics = metrics
        self.log = log
    }

    /// Starts the threads. This process owns the shards.
    public func start() { thread.withLock { $0 = SystemThread.required("schedules") { [self] in run() } } }

    /// Ends the threads. What is not stored is decided again by the next owner.
    public func stop() {
        inbox.change { $0.isStopped = true }
        thread.withLock { $0 }?.join()
    }

    public func ended(_ end: ScheduledRunEnd, namespace: Int32, reply: Reply<Void>) {
        let name = ScheduleName(namespace: namespace, id: end.schedule.scheduleID)
        call(.ended(end), on: name, Reply { outcome in reply.answer(outcome.map { _ in }) })
    }

    func call(_ call: ScheduleCall, on name: ScheduleName, _ reply: Reply<ScheduleAnswer>) {
        post(.call(call, name, reply))
    }

    private func post(_ event: Event) {
        let isStopped = inbox.changeForOne { inbox in
            if !inbox.isStopped { inbox.events.append(event) }
            return inbox.isStopped
        }
        if isStopped, case .call(_, _, let reply) = event {
            reply.fail(.unavailable("the server is stopping; try again"))
        }
    }

    // MARK: The book's thread

    private func run() {
        var loop = Loop(book: ScheduleBook(zones: { [limits] in limits.current.timeZones }))
        let store = ScheduleStoreThread(url: url, namespaces: namespaces, log: log) { [self] in post(.stored($0)) }
        store.start()
        var isMoreDue = false
        while true {
            let wait = isMoreDue ? .zero : waitingTime(loop.book)
            let events = inbox.wait(atMost: wait) { inbox -> [Event]? in
                guard !inbox.events.isEmpty || inbox.isStopped else { return nil }
                defer { inbox.events = [] }
                return inbox.isStopped ? [] : inbox.events
            }
            if inbox.withLock({ $0.isStopped }) { break }
            for event in events ?? [] { take(event, &loop) }
            isMoreDue = loop.book.pass(to: clock())
            for effect in loop.book.takeEffects() { perform(effect, &loop) }
            if !loop.storeIsBusy, let job = loop.book.nextJob(at: clock()) {
                loop.storeIsBusy = true
                store.put(job)
            }
            for effect in loop.book.takeEffects() { perform(effect, &loop) }
        }
        store.stop()
        for reply in loop.replies.values { reply.fail(.unavailable("the server is stopping; try again")) }
    }

    private struct Loop {
        var book: ScheduleBook
        var replies: [UInt64: Reply<ScheduleAnswer>] = [:]
        var lastCall: UInt64 = 0
        var storeIsBusy = false
    }

    private func waitingTime(_ book: ScheduleBook) -> Duration {
        let left = book.nextWake - clock()
        return min(max(.nanoseconds(left.nanoseconds), .zero), Self.longestWait)
    }

    private func take(_ event: Event, _ loop: inout Loop) {
        let now = clock()
        switch event {
        case .call(let call, let name, let reply):
            guard loop.replies.count < Self.callLimit else {
                return reply.fail(
                    RequestError(.resourceExhausted, "too many calls of schedules wait for the database; try again")
                )
            }
            loop.lastCall += 1
            loop.replies[loop.lastCall] = reply
            loop.book.call(loop.lastCall, call, on: name, at: now)
        case .performed(let action, let name, let runID): loop.book.performed(action, of: name, runID: runID, at: now)
        case .refused(let action, let name): loop.book.refused(action, of: name, at: now)
        case .failed(let action, let name): loop.book.failed(action, of: name, at: now)
        case .stored(let outcome):
            loop.storeIsBusy = false
            switch outcome {
            case .written(let writes, let conflicts):
                metrics.conflicts.increment(by: Int64(conflicts.count))
                loop.book.written(writes, conflicts: conflicts, at: now)
            case .loaded(let names, let found): loop.book.loaded(names, found, at: now)
            case .loadedDue(let load, let found): loop.book.loadedDue(load, found, at: now)
            }
        }
    }

    private func perform(_ effect: ScheduleEffect, _ loop: inout Loop) {
        switch effect {
        case .answer(let call, let outcome): loop.replies.removeValue(forKey: call)?.answer(outcome)
        case .perform(let action, let record): perform(action, of: record)
        }
    }

    // MARK: Actions

    private func perform(_ action: ScheduleDemand, of record: ScheduleRecord) {
        guard let namespace = namespaces.namespace(numbered: record.namespace), !namespace.isDeleted else {
            return post(.refused(action, record.name))
        }
        switch action {
        case .start(let start): perform(start, action, of: record, namespace)
        case .cancel(let run):
            let request = record.cancelRequest(for: run, in: namespace.name)
            history.cancel(reference(run, record), request, reply: reply(action, of: record) { _ in nil })
        case .terminate(let run):
            let request = record.terminateRequest(for: run, in: namespace.name)
            history.terminate(reference(run, record), request, reply: reply(action, of: record) { _ in nil })
        }
    }

    private func perform(
        _ start: PendingStart,
        _ action: ScheduleDemand,
        of record: ScheduleRecord,
        _ namespace: NamespaceRecord
    ) {
        guard let request = record.request(for: start, in: namespace.name) else {
            return post(.refused(action, record.name))
        }
        var lineage = Lineage()
        lineage.schedule = record.mark(of: start)
        let checked: StartRequest
        do throws(RequestError) {
            checked = try StartRequest(
                request,
                lineage: lineage,
                attributes: namespace.searchAttributes,
                limits: limits.current
            )
        } catch {
            refuse(action, of: record, error)
            return post(.refused(action, record.name))
        }
        if !start.due.isManual { metrics.lateness.record(max((clock() - start.due.scheduled).nanoseconds, 0)) }
        history.start(checked, namespace: record.namespace, reply: reply(action, of: record) { $0.runID })
    }

    private func reference(_ run: TrackedRun, _ record: ScheduleRecord) -> WorkflowReference {
        let key = WorkflowKey(namespace: record.namespace, workflowID: run.workflowID)
        return WorkflowReference(key: key, runID: nil, firstRunID: run.runID.description)
    }

    private func reply<Success>(
        _ action: ScheduleDemand,
        of record: ScheduleRecord,
        _ runID: @escaping @Sendable (Success) -> RunID?
    ) -> Reply<Success> {
        Reply { [self] outcome in
            switch outcome {
            case .success(let value):
                if case .start = action { metrics.started.increment() }
                post(.performed(action, record.name, runID(value)))
            case .failure(let error) where error.mayPass || error.code == .internalError:
                post(.failed(action, record.name))
            case .failure(let error):
                refuse(action, of: record, error)
                post(.refused(action, record.name))
            }
        }
    }

    private func refuse(_ action: ScheduleDemand, of record: ScheduleRecord, _ error: RequestError) {
        // A run that is to be ended has ended.
        guard case .start(let start) = action else { return }
        metrics.refused.increment()
        log.warning(
            "an action of a schedule was refused",
            metadata: [
                "namespace": "\(record.namespace)", "schedule": "\(record.id)", "workflow": "\(start.workflowID)",
                "error": "\(error.message)",
            ]
        )
    }
}
