internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreProtobuf

/// Reads histories over gRPC.
struct HistoryReader {
    struct Workflow {
        var namespace: String
        var workflowID: String
        /// Empty for the newest run.
        var runID: String
    }

    let connection: GRPCChannelConfiguration
    private var address: String { connection.addresses.joined(separator: ",") }

    /// All events of a run, page by page.
    func read(_ workflow: Workflow) async throws(CommandFailure) -> [HistoryEvent] {
        let channel = GRPCChannel(connection)
        defer { channel.shutdown() }
        var request = GetWorkflowExecutionHistoryRequest()
        request.namespace = workflow.namespace
        var execution = WorkflowExecution()
        execution.workflowID = workflow.workflowID
        execution.runID = workflow.runID
        request.execution = execution
        var events: [HistoryEvent] = []
        repeat {
            let response = try await page(request, channel, workflow)
            events += response.history?.events ?? []
            request.nextPageToken = response.nextPageToken
        } while !request.nextPageToken.isEmpty
        return events
    }

    private func page(
        _ request: GetWorkflowExecutionHistoryRequest,
        _ channel: GRPCChannel,
        _ workflow: Workflow
    ) async throws(CommandFailure) -> GetWorkflowExecutionHistoryResponse {
        let bytes: [UInt8]
        do throws(GRPCStatus) {
            bytes = try await channel.call(
                WorkflowServiceMethod.getWorkflowExecutionHistory.rawValue,
                request.serializedBytes(),
                deadline: .seconds(30)
            )
        } catch {
            throw failure(error, workflow)
        }
        do throws(ProtobufError) {
            return try GetWorkflowExecutionHistoryResponse(serializedBytes: bytes)
        } catch {
            throw CommandFailure("cannot decode the response from \(address): \(error)")
        }
    }

    private func failure(_ status: GRPCStatus, _ workflow: Workflow) -> CommandFailure {
        switch status.code {
        case .unavailable:
            CommandFailure(
                "no Sagamore server answers at \(address) (\(status.message)). "
                    + "Start 'sagamore dev', or set --address"
            )
        case .notFound:
            CommandFailure("\(status.message) (namespace \(workflow.namespace), \(address))")
        case .permissionDenied:
            CommandFailure("\(status.message) (\(address)). Set --api-key, or the certificate that the server knows")
        default:
            CommandFailure("\(address) rejected the request: \(status)")
        }
    }
}
