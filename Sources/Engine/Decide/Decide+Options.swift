public import SagamoreAPI
internal import SagamoreProtobuf

/// Temporal default: 64 bytes.
private let longestFairnessKey = 64

/// A change of a run's options, validated.
public final class ExecutionOptionsRequest: Sendable {
    /// The new values.
    private let priority: Priority?
    /// Which of them count.
    private let paths: [Path]
    /// Who asks for it.
    let identity: String

    private enum Path: String {
        case priority
        case priorityKey = "priority.priority_key"
        case fairnessKey = "priority.fairness_key"
        case fairnessWeight = "priority.fairness_weight"
    }

    /// Validates a change of the fields that `paths` name.
    ///
    /// - Throws: `invalidArgument` naming what is wrong, `unimplemented` for what needs versioning.
    public init(
        _ options: WorkflowExecutionOptions?,
        paths: [String],
        identity: String,
        limits: Limits
    ) throws(RequestError) {
        try checkIdentifier(identity, "Identity", missing: nil, limits)
        var known: [Path] = []
        for path in paths {
            if path == "versioning_override" || path.hasPrefix("versioning_override.") {
                throw RequestError(.unimplemented, "versioning_override is not available in this version of sagamore")
            }
            if path == "time_skipping_config" || path.hasPrefix("time_skipping_config.") {
                throw RequestError(.unimplemented, "time_skipping_config is not available in this version of sagamore")
            }
            guard let path = Path(rawValue: path) else {
                throw .invalidArgument(
                    "error parsing UpdateMask: proto: invalid path \"\(path.prefix(200))\" for message "
                        + "\"temporal.api.workflow.v1.WorkflowExecutionOptions\""
                )
            }
            known.append(path)
        }
        guard options?.versioningOverride == nil else {
            throw RequestError(.unimplemented, "versioning_override is not available in this version of sagamore")
        }
        if let priority = options?.priority {
            if priority.priorityKey < 0 { throw .invalidArgument("priority key can't be negative") }
            if priority.fairnessKey.utf8.count > longestFairnessKey {
                throw .invalidArgument("fairness key length exceeds limit")
            }
            if priority.fairnessKey.holdsNUL { throw .invalidArgument("fairness key must not contain NUL") }
            if priority.fairnessWeight < 0 { throw .invalidArgument("must be greater than zero") }
        }
        priority = options?.priority
        self.paths = known
        self.identity = identity
    }

    /// The options after the change.
    func merged(into current: Priority?) -> Priority? {
        var merged = current
        for path in paths {
            switch path {
            case .priority: merged = priority
            case .priorityKey: merged = change(merged) { $0.priorityKey = priority?.priorityKey ?? 0 }
            case .fairnessKey: merged = change(merged) { $0.fairnessKey = priority?.fairnessKey ?? "" }
            case .fairnessWeight: merged = change(merged) { $0.fairnessWeight = priority?.fairnessWeight ?? 0 }
            }
        }
        return merged
    }

    private func change(_ priority: Priority?, _ body: (inout Priority) -> Void) -> Priority {
        var priority = priority ?? Priority()
        body(&priority)
        return priority
    }
}

extension Execution {
    /// Changes the options of the run. Reports what they are then.
    ///
    /// - Throws: `notFound` when the run is closed.
    public func decide(_ options: ExecutionOptionsRequest, at now: Instant) throws(RequestError) -> Decision {
        guard isRunning else { throw .workflowClosed }
        var draft = Draft(self, at: now)
        let merged = options.merged(into: durable.priority)
        if merged != durable.priority {
            draft.outside(
                self,
                .workflowExecutionOptionsUpdated,
                .workflowExecutionOptionsUpdatedEventAttributes(attributes(merged, options.identity)),
                workerMayIgnore: true
            )
        }
        var answer = WorkflowExecutionOptions()
        answer.priority = merged
        draft.decision.reply = .options(answer)
        return draft.decision
    }

    /// Writes a change that comes with a reset.
    ///
    /// - Parameter priority: the run's priority so far.
    func write(_ options: ExecutionOptionsRequest, changing priority: inout Priority?, in draft: inout Draft) {
        let merged = options.merged(into: priority)
        guard merged != priority else { return }
        priority = merged ?? priority
        draft.event(
            .workflowExecutionOptionsUpdated,
            .workflowExecutionOptionsUpdatedEventAttributes(attributes(merged, options.identity)),
            workerMayIgnore: true
        )
    }

    private func attributes(
        _ priority: Priority?,
        _ identity: String
    ) -> WorkflowExecutionOptionsUpdatedEventAttributes {
        var attributes = WorkflowExecutionOptionsUpdatedEventAttributes()
        attributes.unsetVersioningOverride = true
        attributes.priority = priority
        attributes.identity = identity
        return attributes
    }
}
