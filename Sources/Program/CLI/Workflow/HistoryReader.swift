internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreGRPC
internal import SagamoreProtobuf

/// Reads histories over gRPC.
struct HistoryReader {
    let client: ServiceClient

    /// All events of a run, page by page.
    func events(of workflow: WorkflowExecution) async throws(CommandFailure) -> [HistoryEvent] {
        var request = request(workflow)
        var events: [HistoryEvent] = []
        repeat {
            let page: GetWorkflowExecutionHistoryResponse = try await client.call(.getWorkflowExecutionHistory, request)
            events += page.history?.events ?? []
            request.nextPageToken = page.nextPageToken
        } while !request.nextPageToken.isEmpty
        return events
    }

    /// Waits for the event that ends a workflow. A run that continues as a new one is followed.
    ///
    /// - Parameter hasAnswered: whether the server answered before. A server that did is waited for when it is away.
    func closeEvent(
        of workflow: WorkflowExecution,
        hasAnswered: Bool = false
    ) async throws(CommandFailure) -> HistoryEvent {
        var workflow = workflow
        var request = request(workflow)
        request.waitNewEvent = true
        request.historyEventFilterType = .closeEvent
        var hasAnswered = hasAnswered
        while true {
            guard let page = try await longPoll(request, isPatient: hasAnswered) else { continue }
            hasAnswered = true
            request.nextPageToken = page.nextPageToken
            guard let event = page.history?.events.last else {
                guard page.nextPageToken.isEmpty else { continue }
                throw CommandFailure("the history of '\(workflow.workflowID)' has no event that ends it")
            }
            guard case .workflowExecutionContinuedAsNewEventAttributes(let next)? = event.attributes else {
                return event
            }
            workflow.runID = next.newExecutionRunID
            request.execution = workflow
            request.nextPageToken = []
        }
    }

    /// Hands over the events of a workflow as they come, until it has ended. A run that continues as a new one is
    /// followed.
    func follow(_ workflow: WorkflowExecution, _ show: ([HistoryEvent]) throws -> Void) async throws {
        var workflow = workflow
        var request = request(workflow)
        request.waitNewEvent = true
        var hasAnswered = false
        var last: HistoryEvent?
        while true {
            guard let page = try await longPoll(request, isPatient: hasAnswered) else { continue }
            hasAnswered = true
            let events = page.history?.events ?? []
            if !events.isEmpty { try show(events) }
            last = events.last ?? last
            request.nextPageToken = page.nextPageToken
            guard page.nextPageToken.isEmpty else { continue }
            guard case .workflowExecutionContinuedAsNewEventAttributes(let next)? = last?.attributes else { return }
            workflow.runID = next.newExecutionRunID
            request.execution = workflow
        }
    }

    /// One long poll; nil when it is to be repeated because the server was away for a moment.
    private func longPoll(
        _ request: GetWorkflowExecutionHistoryRequest,
        isPatient: Bool
    ) async throws(CommandFailure) -> GetWorkflowExecutionHistoryResponse? {
        do throws(GRPCStatus) {
            let page: GetWorkflowExecutionHistoryResponse = try await client.attempt(
                WorkflowServiceMethod.getWorkflowExecutionHistory.rawValue,
                request
            )
            return page
        } catch {
            let passing: [GRPCStatus.Code] = [.unavailable, .deadlineExceeded, .resourceExhausted]
            guard isPatient, passing.contains(error.code) else { throw client.failure(error) }
            StandardError.write("sagamore: \(client.failure(error)). Still waiting\n")
        }
        // Nobody cancels the task of a command.
        try? await Task.sleep(for: .seconds(1))
        return nil
    }

    private func request(_ workflow: WorkflowExecution) -> GetWorkflowExecutionHistoryRequest {
        var request = GetWorkflowExecutionHistoryRequest()
        request.namespace = client.namespace
        request.execution = workflow
        return request
    }
}
