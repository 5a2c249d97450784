extension RunCore {
    /// Runs the handler of a signal that may wait. `eventID` is the signal's event.
    func run(signal eventID: Int64, _ body: @escaping @Sendable () async throws -> Void) {
        runningHandlers += 1
        let key = "signal/\(eventID)"
        handlerTasks[key] = Task(executorPreference: executor) {
            do {
                try await body()
                self.finishSignal(key, nil)
            } catch {
                self.finishSignal(key, error)
            }
        }
    }

    /// The handler of a signal has ended. What may end the workflow ends it; other errors count as bugs, and fail the
    /// workflow task.
    private func finishSignal(_ key: String, _ error: (any Error)?) {
        // The code of an evicted run has no outcome.
        guard !isDead else { return }
        runningHandlers -= 1
        handlerTasks[key] = nil
        switch error {
        case nil: break
        case let error? where endsWorkflow(error): end(.failed(error))
        case let error?: handlerError = error
        }
    }

    private func endsWorkflow(_ error: any Error) -> Bool {
        error is any WorkflowFailure || error is ContinueAsNew
            || isCancelRequested && CanceledError.isCancellation(error)
    }
}
