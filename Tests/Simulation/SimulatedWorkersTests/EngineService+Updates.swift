import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import SagamoreServices

/// The caller of an update who waits for its outcome.
struct EngineUpdate {
    let number: UInt64
    let id: String
    let reply: Reply<UpdateStatus>
}

extension EngineService {
    func update(
        _ workflow: WorkflowReference,
        _ request: UpdateRequest,
        waitingFor _: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    ) {
        do {
            let run = try self.run(workflow)
            apply(try run.execution.decide(request, at: now), to: run)
            follow(request.id, of: run, until: deadline, reply)
        } catch {
            reply.fail(error)
        }
    }

    func startAndUpdate(
        _: StartRequest,
        _: UpdateRequest,
        namespace _: Int32,
        waitingFor _: UpdateWorkflowExecutionLifecycleStage,
        deadline _: Instant,
        reply: Reply<StartedUpdate>
    ) { reply.fail(RequestError(.unimplemented, "no client of this world starts and updates at once")) }

    func pollUpdate(
        _ workflow: WorkflowReference,
        id: String,
        waitingFor _: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    ) {
        do {
            follow(id, of: try run(workflow), until: deadline, reply)
        } catch {
            reply.fail(error)
        }
    }

    private func follow(_ id: String, of run: EngineRun, until deadline: Instant, _ reply: Reply<UpdateStatus>) {
        switch run.execution.progress(ofUpdate: id) {
        case .completed(let eventID):
            let event = try? HistoryFrames.decode(run.frames[Int(eventID) - 1]).first?.event
            guard case .workflowExecutionUpdateCompletedEventAttributes(let attributes)? = event?.attributes else {
                return reply.fail(RequestError(.internalError, "event \(eventID) has no outcome"))
            }
            end(attributes.outcome ?? Outcome(), of: run, reply)
        case .abandoned: end(abandonedUpdateOutcome, of: run, reply)
        case .admitted, .accepted:
            let number = random.next()
            run.updates.append(EngineUpdate(number: number, id: id, reply: reply))
            scheduler.schedule("update's deadline", of: process, after: deadline - now) { [self] in
                guard let index = run.updates.firstIndex(where: { $0.number == number }) else { return }
                run.updates.remove(at: index)
                let isAccepted = run.execution.progress(ofUpdate: id) == .accepted
                let status = UpdateStatus(runID: run.id, stage: isAccepted ? .accepted : .admitted)
                later { reply.succeed(status) }
            }
        case nil: reply.fail(.updateNotFound(id))
        }
    }

    private func end(_ outcome: Outcome, of run: EngineRun, _ reply: Reply<UpdateStatus>) {
        let status = UpdateStatus(runID: run.id, stage: .completed, outcome: outcome)
        later { reply.succeed(status) }
    }

    /// A decision was made about updates.
    func tell(_ news: [UpdateNews], of run: EngineRun) {
        for news in news {
            let waiting = run.updates.filter { $0.id == news.id }
            switch news.kind {
            case .accepted: continue
            case .ended(let outcome): for update in waiting { end(outcome, of: run, update.reply) }
            case .failed(let error): for update in waiting { later { update.reply.fail(error) } }
            }
            run.updates.removeAll { $0.id == news.id }
        }
    }
}
