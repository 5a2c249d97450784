internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

extension Shard {
    /// Goes on with a workflow when it is in memory: at once, or when the loader has read it. `proceed` runs under the
    /// lock.
    ///
    /// - Parameter mayAssumeNew: `proceed` may be given a slot of which nothing is known, and then takes it for that of a
    ///   workflow without a run.
    func access(
        _ key: WorkflowKey,
        commandID: String = "",
        mayAssumeNew: Bool = false,
        refuse: @escaping @Sendable (RequestError) -> Void,
        proceed: @escaping @Sendable (Shard, WorkflowSlot, _ isKnownCommand: Bool) -> Void
    ) {
        perform {
            if let obstacle = obstacle() {
                afterwards.append { refuse(obstacle) }
                return
            }
            let slot = slot(key)
            let isReady = slot.state.isReady || (mayAssumeNew && slot.isUntouched && newWorkflows.assumes(key))
            if isReady, commandID.isEmpty, slot.state.waiting.isEmpty {
                proceed(self, slot, false)
                dropIfUnused(slot)
                return
            }
            let waiter = LoadWaiter(commandID: commandID, proceed: proceed, refuse: refuse)
            if slot.state.wait(waiter) { loads.add(.workflow(slot)) }
        }
    }

    /// Under the lock: lets those go on who came while the workflow was read, in order. One whose command has to be looked
    /// up makes those behind it wait for the next round.
    func goOn(_ slot: WorkflowSlot) {
        while let next = slot.state.nextReadyWaiter() { next.proceed(self, slot, false) }
        if !slot.state.waiting.isEmpty { requestLoad(slot) }
    }

    func requestLoad(_ slot: WorkflowSlot) {
        if slot.state.requestLoad() { loads.add(.workflow(slot)) }
    }

    /// The run that a reference means: the current one, or an older one that is looked up.
    enum Resolved {
        case cached(CachedRun)
        /// A run that is closed, as far as lists know it.
        case closed(RunRow)
        case missing
    }

    /// Goes on with the run that a reference means. `proceed` runs under the lock.
    ///
    /// - Parameter isLookedUpAgain: it was looked up once, when the end of that run was on its way to the database.
    func resolve(
        _ workflow: WorkflowReference,
        isLookedUpAgain: Bool = false,
        refuse: @escaping @Sendable (RequestError) -> Void,
        proceed: @escaping @Sendable (Shard, WorkflowSlot, Resolved) -> Void
    ) {
        access(workflow.key, refuse: refuse) { shard, slot, _ in
            switch slot.current {
            case .cached(let run) where workflow.runID == nil || workflow.runID == run.runID:
                proceed(shard, slot, .cached(run))
            case .closed(let row) where workflow.runID == nil || workflow.runID == row.runID:
                proceed(shard, slot, .closed(row))
            case .none:
                proceed(shard, slot, .missing)
            default:
                guard let runID = workflow.runID else { return proceed(shard, slot, .missing) }
                shard.loads.add(
                    .run(runID) { outcome in
                        shard.perform {
                            if let obstacle = shard.obstacle() {
                                shard.afterwards.append { refuse(obstacle) }
                                return
                            }
                            switch outcome {
                            case .success(let row?)
                            where row.key == workflow.key && row.status == .running && !isLookedUpAgain:
                                shard.releaseInOrder(
                                    {
                                        shard.resolve(workflow, isLookedUpAgain: true, refuse: refuse, proceed: proceed)
                                    },
                                    refuse: { refuse($0.error) }
                                )
                            case .success(let row?) where row.key == workflow.key:
                                proceed(shard, shard.slot(row.key), .closed(row))
                            case .success:
                                proceed(shard, shard.slot(workflow.key), .missing)
                            case .failure(let error):
                                shard.afterwards.append { refuse(error) }
                            }
                            if let slot = shard.slots[workflow.key] { shard.dropIfUnused(slot) }
                        }
                    }
                )
            }
        }
    }
}
