import SagamoreAPI
import SagamoreProtobuf

@testable import Sagamore

/// A run's events so far.
func history(_ client: Client, _ id: String) async throws -> [HistoryEvent] {
    var request = GetWorkflowExecutionHistoryRequest()
    request.namespace = client.options.namespace
    request.execution = WorkflowExecution(workflowID: id, runID: "")
    return try await client.service.call(
        .getWorkflowExecutionHistory,
        request,
        GetWorkflowExecutionHistoryResponse.self
    ).get().history?.events ?? []
}

/// Why the last failed workflow task failed; nil when none has.
func failedTask(_ client: Client, _ id: String) async throws -> String? {
    for event in try await history(client, id).reversed() {
        guard case .workflowTaskFailedEventAttributes(let failed) = event.attributes else { continue }
        return try failed.failure?.decoded().message ?? ""
    }
    return nil
}
