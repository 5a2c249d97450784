import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import SagamoreServices

extension EngineService {
    func query(
        _ workflow: WorkflowReference,
        _ query: WorkflowQuery,
        rejecting: QueryRejectCondition,
        deadline: Instant,
        reply: Reply<QueryOutcome>
    ) {
        do {
            let run = try self.run(workflow)
            let id = random.next()
            queries[id] = EngineQuery(query: query, run: run, reply: reply)
            run.queries.append(id)
            scheduler.schedule("end a query", of: process, after: deadline - now) { [self] in
                finish(id) { $0.fail(RequestError(.deadlineExceeded, "no worker answered")) }
            }
            queryAgain(run)
        } catch {
            reply.fail(error)
        }
    }

    /// Offers the queries of a run as tasks of their own, unless a workflow task takes them with it.
    func queryAgain(_ run: EngineRun) {
        guard !run.queries.isEmpty else { return }
        let state = run.execution
        if state.isRunning, state.durable.workflowTask != nil || state.volatile.startedTask != nil { return }
        for id in run.queries where queries[id]?.isOffered == false {
            queries[id]?.isOffered = true
            let sticky = run.execution.durable.stickyQueue
            let queue = TaskQueueKey(
                namespace: run.key.namespace,
                name: sticky.isEmpty ? state.durable.taskQueue : sticky,
                kind: .workflow
            )
            offer(MatchingTask(queue: queue, key: run.key, runID: run.id, kind: .query(id, isSticky: !sticky.isEmpty)))
        }
    }

    func startQuery(_ id: UInt64, _ run: EngineRun, _ isSticky: Bool, _ reply: Reply<PolledWorkflowTask>) {
        guard let query = queries[id] else { return reply.fail(.workflowTaskNotFound) }
        let token = TaskToken.QueryToken(key: run.key, runID: run.id, queryID: id)
        let assigned = AssignedQuery(
            key: run.key,
            runID: run.id,
            workflowType: "saga",
            token: TaskToken.query(token).bytes,
            query: query.query,
            history: isSticky ? [] : run.history,
            nextPageToken: [],
            previousStartedEventID: run.execution.durable.previousStartedEventID
        )
        later { reply.succeed(.query(assigned)) }
    }

    func answer(_ results: ProtobufMap<WorkflowQueryResult>, of run: EngineRun) {
        for id in run.queries {
            guard let result = results[String(id)] else { continue }
            finish(id) { $0.succeed(.answered(result.answer)) }
        }
    }

    func answerQuery(_ token: TaskToken.QueryToken, _ answer: QueryAnswer, reply: Reply<Void>) {
        if case .answered(let payloads) = answer { finish(token.queryID) { $0.succeed(.answered(payloads)) } }
        reply.succeed()
    }

    private func finish(_ id: UInt64, _ answer: (Reply<QueryOutcome>) -> Void) {
        guard let query = queries.removeValue(forKey: id) else { return }
        query.run.queries.removeAll { $0 == id }
        answer(query.reply)
    }
}
