internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreGRPC
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// A workflow that was started, or that existed already.
struct WorkflowStart {
    private let request: StartWorkflowExecutionRequest
    private let runID: String

    init(_ request: StartWorkflowExecutionRequest, runID: String) {
        self.request = request
        self.runID = runID
    }

    /// Starts a workflow. When the server says that it exists, its run is taken, as the `temporal` command does.
    ///
    /// - Parameter failsExisting: whether to fail when it exists.
    init(
        _ request: StartWorkflowExecutionRequest,
        _ client: ServiceClient,
        failsExisting: Bool
    ) async throws(CommandFailure) {
        self.request = request
        do throws(GRPCStatus) {
            let response: StartWorkflowExecutionResponse = try await client.attempt(
                WorkflowServiceMethod.startWorkflowExecution.rawValue,
                request
            )
            runID = response.runID
        } catch {
            guard !failsExisting, let existing = Self.existingRun(error) else {
                throw client.failure(error, [.alreadyExists: "Choose another --workflow-id, or an --id-reuse-policy"])
            }
            StandardError.write("sagamore: the workflow '\(request.workflowID)' exists already\n")
            runID = existing
        }
    }

    /// The run that a refused start names.
    private static func existingRun(_ status: GRPCStatus) -> String? {
        guard status.code == .alreadyExists, let bytes = status.details,
            let details = try? RPCStatus(serializedBytes: bytes).details
        else { return nil }
        for detail in details {
            if let failure = try? detail.unpacked(as: WorkflowExecutionAlreadyStartedFailure.self) {
                return failure.runID.isEmpty ? nil : failure.runID
            }
        }
        return nil
    }

    var execution: WorkflowExecution {
        var execution = WorkflowExecution()
        execution.workflowID = request.workflowID
        execution.runID = runID
        return execution
    }

    func text(isColored: Bool = Color.isOn) -> String {
        var properties = Properties()
        for (name, value) in fields { properties.add(name.prefix(1).uppercased() + name.dropFirst(), value) }
        return properties.text(title: "Running execution:", isColored: isColored)
    }

    var json: JSONObject {
        var object = JSONObject()
        for (name, value) in fields { object[name] = .string(value) }
        return object
    }

    private var fields: [(name: String, value: String)] {
        [
            ("workflowId", request.workflowID), ("runId", runID), ("type", request.workflowType?.name ?? ""),
            ("namespace", request.namespace), ("taskQueue", request.taskQueue?.name ?? ""),
        ]
    }
}
