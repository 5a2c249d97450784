internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

extension Shard {
    /// Goes on with a workflow when it is in memory, for the sake of nobody who waits for an answer: a request has a
    /// `Caller`, and goes by the other `access`. `proceed` runs under the lock.
    func access(
        _ key: WorkflowKey,
        refuse: @escaping @Sendable (RequestError) -> Void,
        proceed: @escaping @Sendable (Shard, WorkflowContext, _ isKnownCommand: Bool) -> Void
    ) {
        perform {
            if let obstacle = obstacle() { return state.deferred.call { refuse(obstacle) } }
            let context = state.runs.context(key)
            if state.canProceed(context) {
                proceed(self, context, false)
                state.runs.dropIfUnused(context)
                return
            }
            wait(for: context, LoadWaiter(commandID: "", proceed: proceed, refuse: refuse))
        }
    }

    /// Under the lock.
    func wait(for context: WorkflowContext, _ waiter: LoadWaiter) {
        if context.state.wait(waiter) { loads.add(.workflow(context)) }
    }

    /// Under the lock: lets those go on who came while the workflow was read, in order. One whose command has to be
    /// looked up makes those behind it wait for the next round.
    func goOn(_ context: WorkflowContext) {
        while let next = context.state.nextReadyWaiter() { next.proceed(self, context, false) }
        if !context.state.waiting.isEmpty { requestLoad(context) }
    }

    func requestLoad(_ context: WorkflowContext) {
        if context.state.requestLoad() { loads.add(.workflow(context)) }
    }
}
