internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

extension Shard {
    /// Goes on with a workflow when it is in memory, for the sake of nobody who waits for an answer: a request has a
    /// `Caller`, and goes by the other `access`. `proceed` runs under the lock.
    func access(
        _ key: WorkflowKey,
        refuse: @escaping @Sendable (RequestError) -> Void,
        proceed: @escaping @Sendable (Shard, WorkflowSlot, _ isKnownCommand: Bool) -> Void
    ) {
        perform {
            if let obstacle = obstacle() { return deferred.call { refuse(obstacle) } }
            let slot = slot(key)
            if canProceed(slot) {
                proceed(self, slot, false)
                dropIfUnused(slot)
                return
            }
            wait(for: slot, LoadWaiter(commandID: "", proceed: proceed, refuse: refuse))
        }
    }

    /// Under the lock: whether a request for a workflow can go on at once. Those that wait go first.
    func canProceed(_ slot: WorkflowSlot, commandID: String = "", mayAssumeNew: Bool = false) -> Bool {
        let isReady = slot.state.isReady || (mayAssumeNew && slot.isUntouched && newWorkflows.assumes(slot.key))
        return isReady && commandID.isEmpty && slot.state.waiting.isEmpty
    }

    /// Under the lock.
    func wait(for slot: WorkflowSlot, _ waiter: LoadWaiter) {
        if slot.state.wait(waiter) { loads.add(.workflow(slot)) }
    }

    /// Under the lock: lets those go on who came while the workflow was read, in order. One whose command has to be
    /// looked up makes those behind it wait for the next round.
    func goOn(_ slot: WorkflowSlot) {
        while let next = slot.state.nextReadyWaiter() { next.proceed(self, slot, false) }
        if !slot.state.waiting.isEmpty { requestLoad(slot) }
    }

    func requestLoad(_ slot: WorkflowSlot) {
        if slot.state.requestLoad() { loads.add(.workflow(slot)) }
    }
}
