internal import SagamoreAPI
internal import SagamoreProtobuf

extension Command {
    /// The size of the payloads that the command adds to the history, as far as a limit applies to it.
    var payloadBytes: Int {
        switch attributes {
        case .scheduleActivityTaskCommandAttributes(let it): it.input?.bytes.count ?? 0
        case .completeWorkflowExecutionCommandAttributes(let it): it.result?.bytes.count ?? 0
        case .failWorkflowExecutionCommandAttributes(let it): it.failure?.bytes.count ?? 0
        case .cancelWorkflowExecutionCommandAttributes(let it): it.details?.bytes.count ?? 0
        case .recordMarkerCommandAttributes(let it): it.details.values.reduce(0) { $0 + $1.bytes.count }
        case .continueAsNewWorkflowExecutionCommandAttributes(let it): it.input?.bytes.count ?? 0
        case .startChildWorkflowExecutionCommandAttributes(let it): it.input?.bytes.count ?? 0
        case .signalExternalWorkflowExecutionCommandAttributes(let it): it.input?.bytes.count ?? 0
        case .modifyWorkflowPropertiesCommandAttributes(let it): it.upsertedMemo?.bytes.count ?? 0
        default: 0
        }
    }
}
