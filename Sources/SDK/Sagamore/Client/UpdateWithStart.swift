internal import SagamoreAPI

/// A workflow that was updated, and perhaps started for it.
public struct UpdatedWorkflow<Output: Codable & Sendable, Answer: Codable & Sendable>: Sendable {
    /// The workflow.
    public let workflow: WorkflowHandle<Output>
    /// The update, which the workflow has accepted or rejected.
    public let update: UpdateHandle<Answer>
    /// Whether the workflow was started for the update.
    public let isStarted: Bool
}

extension Client {
    /// Updates a workflow, and starts it first when it is not running. Both happen, or neither. Returns when the
    /// workflow has accepted the update, or rejected it.
    ///
    /// - Parameter updateID: the update's id. The same id has the same outcome; nil means a new one.
    /// - Throws: ``ClientError``, or ``DataError`` when an input cannot be encoded. A rejection is thrown by
    ///   ``UpdateHandle/result()``.
    public func updateWithStart<Input, Output, UpdateInput, Answer>(
        _ type: WorkflowType<Input, Output>,
        _ input: Input,
        _ options: WorkflowOptions,
        update: Update<UpdateInput, Answer>,
        _ updateInput: UpdateInput,
        updateID: String? = nil
    ) async throws -> UpdatedWorkflow<Output, Answer> {
        var start = try startRequest(type, input, options)
        // A running workflow gets the update, unless the options say otherwise.
        if options.conflictPolicy == .fail { start.workflowIDConflictPolicy = .useExisting }
        let update = try updateRequest(
            update,
            updateInput,
            id: updateID,
            of: options.id,
            runID: "",
            until: .accepted
        )
        var request = ExecuteMultiOperationRequest()
        request.namespace = self.options.namespace
        request.operations = [ExecuteMultiOperationRequest.Operation(), ExecuteMultiOperationRequest.Operation()]
        request.operations[0].operation = .startWorkflow(start)
        request.operations[1].operation = .updateWorkflow(update)
        var isStarted = false
        while true {
            let answer = await service.call(
                .executeMultiOperation,
                request,
                deadline: ServiceConnection.pollDeadline,
                patience: .seconds(60),
                ExecuteMultiOperationResponse.self
            )
            switch answer {
            case .success(let response):
                guard response.responses.count == 2,
                    case .startWorkflow(let started)? = response.responses[0].response,
                    case .updateWorkflow(let updated)? = response.responses[1].response
                else { throw ClientError(.other, "the server's answer has not the two parts that were asked for") }
                // The answer to a repeated request no longer says so.
                isStarted = isStarted || started.started
                guard let handle = UpdateHandle<Answer>(self, updated, to: update) else { continue }
                let workflow = WorkflowHandle<Output>(client: self, id: options.id, runID: started.runID)
                return UpdatedWorkflow(workflow: workflow, update: handle, isStarted: isStarted)
            case .failure(let status):
                if status.code != .deadlineExceeded || Task.isCancelled { throw ClientError(status) }
            }
        }
    }
}
