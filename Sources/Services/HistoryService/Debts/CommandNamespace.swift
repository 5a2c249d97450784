internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreServices

extension HistoryService {
    /// The namespace of a run whose worker has completed a task, if a command of it needs one.
    ///
    /// - Throws: `notFound` for a command that names an unknown namespace.
    func namespace(
        for commands: [Command],
        of key: WorkflowKey
    ) throws(RequestError) -> NamespaceName? {
        // By the type alone: most completions have no such command, and the attributes of others are large.
        guard commands.contains(where: { $0.commandType.concernsAnotherWorkflow }) else { return nil }
        guard let namespaces = debtContacts.namespaces, let own = namespaces.namespace(numbered: key.namespace) else {
            return nil
        }
        for command in commands {
            if let name = command.namedNamespace, !name.isEmpty { _ = try namespaces.namespace(named: name) }
        }
        return NamespaceName(name: own.name, id: own.id)
    }

    /// What search attributes a run may set whose worker has completed a task, if a command of it may set some.
    func searchAttributes(for commands: [Command], of key: WorkflowKey) -> SearchAttributeCatalog? {
        guard commands.contains(where: { $0.commandType.maySetSearchAttributes }) else { return nil }
        return debtContacts.namespaces?.namespace(numbered: key.namespace)?.searchAttributes
    }
}

extension CommandType {
    fileprivate var concernsAnotherWorkflow: Bool {
        switch self {
        case .startChildWorkflowExecution, .signalExternalWorkflowExecution, .requestCancelExternalWorkflowExecution:
            true
        default: false
        }
    }

    fileprivate var maySetSearchAttributes: Bool {
        switch self {
        case .startChildWorkflowExecution, .continueAsNewWorkflowExecution, .upsertWorkflowSearchAttributes: true
        default: false
        }
    }
}

extension Command {
    /// The namespace that the command names; empty for the run's own. Nil if it concerns no other workflow.
    fileprivate var namedNamespace: String? {
        switch attributes {
        case .startChildWorkflowExecutionCommandAttributes(let attributes): attributes.namespace
        case .signalExternalWorkflowExecutionCommandAttributes(let attributes): attributes.namespace
        case .requestCancelExternalWorkflowExecutionCommandAttributes(let attributes): attributes.namespace
        default: nil
        }
    }
}
