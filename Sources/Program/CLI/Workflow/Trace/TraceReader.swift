internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreProtobuf

/// Reads the runs of a trace by their histories.
struct TraceReader {
    /// How far below the first run histories are read; nil for all.
    let depth: Int?
    /// The statuses of children whose own children are left out.
    let folded: Set<WorkflowExecutionStatus>
    /// How many histories are read at a time, of the children of a run.
    let concurrency: Int
    private let client: ServiceClient
    /// The histories of runs that have ended, which are read once.
    private var closed: [TraceRun.Name: TraceRun] = [:]
    /// Histories that were read ahead.
    private var ahead: [TraceRun.Name: Result<[HistoryEvent], HistoryMissing>] = [:]

    init(depth: Int?, folded: Set<WorkflowExecutionStatus>, concurrency: Int, _ client: ServiceClient) {
        self.depth = depth
        self.folded = folded
        self.concurrency = concurrency
        self.client = client
    }

    /// A run with its children, as they are now.
    mutating func read(_ workflow: WorkflowExecution) async throws -> TraceRun {
        let name = TraceRun.Name(
            namespace: client.namespace,
            workflowID: workflow.workflowID,
            runID: workflow.runID
        )
        return try await withChildren(try await chain(name), depth: 0)
    }

    private mutating func withChildren(_ run: TraceRun, depth level: Int) async throws -> TraceRun {
        var run = run
        if let depth, level >= depth {
            run.isFolded = !run.children.isEmpty
            run.children = []
            return run
        }
        for index in run.children.indices {
            if index % concurrency == 0 { await readAhead(run.children[index...].prefix(concurrency)) }
            let child = run.children[index]
            guard let status = child.status, !child.name.runID.isEmpty else { continue }
            if folded.contains(status) {
                run.children[index].isFolded = true
                continue
            }
            // A history that is gone leaves what the parent knows.
            guard var read = try await chainIfKept(child.name) else { continue }
            read.failure = read.failure ?? child.failure
            run.children[index] = try await withChildren(read, depth: level + 1)
        }
        return run
    }

    private mutating func chainIfKept(_ name: TraceRun.Name) async throws -> TraceRun? {
        do throws(HistoryMissing) {
            return try await chain(name)
        } catch {
            if error.isGone { return nil }
            throw error.failure
        }
    }

    /// A workflow by all of its runs from this one on.
    private mutating func chain(_ name: TraceRun.Name) async throws(HistoryMissing) -> TraceRun {
        var all = try await single(name)
        var last = all
        while let next = last.nextRunID {
            last = try await single(
                TraceRun.Name(namespace: name.namespace, workflowID: name.workflowID, runID: next)
            )
            all.status = last.status
            all.closeTime = last.closeTime
            all.failure = last.failure
            all.children += last.children
            all.runCount += 1
        }
        return all
    }

    private mutating func single(_ name: TraceRun.Name) async throws(HistoryMissing) -> TraceRun {
        if let known = closed[name] { return known }
        let events = if let read = ahead.removeValue(forKey: name) { try read.get() } else { try await events(name) }
        do {
            let run = try TraceRun(name, events)
            if run.closeTime != nil, !name.runID.isEmpty { closed[name] = run }
            return run
        } catch {
            throw HistoryMissing(isGone: false, failure: CommandFailure("cannot decode the history: \(error)"))
        }
    }

    /// Reads the histories of children beside each other, for what asks for them next.
    private mutating func readAhead(_ children: ArraySlice<TraceRun>) async {
        let shown = children.filter { child in child.status.map { !folded.contains($0) } ?? false }
        let names = Set(shown.map(\.name)).filter { !$0.runID.isEmpty && closed[$0] == nil }
        let reader = self
        let read = await withTaskGroup(of: (TraceRun.Name, Result<[HistoryEvent], HistoryMissing>).self) { group in
            for name in names {
                group.addTask {
                    do throws(HistoryMissing) { return (name, .success(try await reader.events(name))) } catch {
                        return (name, .failure(error))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        ahead.merge(read) { $1 }
    }

    private func events(_ name: TraceRun.Name) async throws(HistoryMissing) -> [HistoryEvent] {
        var execution = WorkflowExecution()
        execution.workflowID = name.workflowID
        execution.runID = name.runID
        var request = GetWorkflowExecutionHistoryRequest()
        request.namespace = name.namespace
        request.execution = execution
        var events: [HistoryEvent] = []
        do throws(GRPCStatus) {
            repeat {
                let page: GetWorkflowExecutionHistoryResponse = try await client.attempt(
                    WorkflowServiceMethod.getWorkflowExecutionHistory.rawValue,
                    request
                )
                events += page.history?.events ?? []
                request.nextPageToken = page.nextPageToken
            } while !request.nextPageToken.isEmpty
        } catch {
            throw HistoryMissing(isGone: error.code == .notFound, failure: client.failure(error))
        }
        return events
    }
}

/// A history that cannot be read.
private struct HistoryMissing: Error {
    /// Whether it was deleted.
    let isGone: Bool
    let failure: CommandFailure
}
