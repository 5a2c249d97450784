internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

extension Shard {
    /// Proceeds with a workflow once it is in memory. `proceed` runs under the lock. For work without a caller. A
    /// request has a `Caller` and uses the other `access`.
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

    /// Under the lock: lets the waiting requests proceed, in order, up to the first one with a command to look up. It
    /// and those behind it wait for the loader.
    func resumeWaiters(of context: WorkflowContext) {
        while let next = context.state.nextReadyWaiter() { next.proceed(self, context, false) }
        if !context.state.waiting.isEmpty { requestLoad(context) }
    }

    func requestLoad(_ context: WorkflowContext) {
        if context.state.requestLoad() { loads.add(.workflow(context)) }
    }
}
