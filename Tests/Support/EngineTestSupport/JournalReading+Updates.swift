internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// What the journal says of updates.
extension JournalReading {
    var openUpdates: [ExactText: OpenUpdate] {
        var updates: [ExactText: OpenUpdate] = [:]
        for entry in entries {
            switch entry {
            case .event(let recorded):
                let id = recorded.event.eventID
                switch recorded.event.attributes {
                case .workflowExecutionUpdateAdmittedEventAttributes(let attributes):
                    updates[ExactText(attributes.request?.meta?.updateID ?? "")] = .admitted(eventID: id)
                case .workflowExecutionUpdateAcceptedEventAttributes(let attributes):
                    updates[ExactText(attributes.protocolInstanceID)] = .accepted(eventID: id)
                case .workflowExecutionUpdateCompletedEventAttributes(let attributes):
                    updates[ExactText(attributes.meta?.updateID ?? "")] = nil
                default: continue
                }
            case .fact(let recorded):
                if case .updateRejected(let id) = recorded.fact { updates[ExactText(id)] = nil }
            case .volatile: continue
            }
        }
        return updates
    }

    var completedUpdates: [ExactText: Int64] {
        var completed: [ExactText: Int64] = [:]
        for recorded in events {
            guard case .workflowExecutionUpdateCompletedEventAttributes(let attributes) = recorded.event.attributes
            else { continue }
            completed[ExactText(attributes.meta?.updateID ?? "")] = recorded.event.eventID
        }
        return completed
    }
}
