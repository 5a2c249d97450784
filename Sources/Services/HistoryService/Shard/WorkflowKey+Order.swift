internal import SagamoreEngine
internal import SagamoreProtobuf

extension WorkflowKey {
    /// An order that is the same in every process, unlike that of a dictionary's keys.
    func precedes(_ other: WorkflowKey) -> Bool {
        if namespace != other.namespace { return namespace < other.namespace }
        return ExactText(workflowID) < ExactText(other.workflowID)
    }
}
