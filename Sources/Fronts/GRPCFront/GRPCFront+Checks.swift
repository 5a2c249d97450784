internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreLogging
internal import SagamoreProtobuf
internal import SagamoreServices

/// Checks of requests, with the messages of Temporal's server.
extension GRPCFront {
    /// - Parameter starts: whether the request may start a workflow, which a deprecated namespace refuses.
    /// - Throws: `invalidArgument`, `notFound` with the namespace's name, `failedPrecondition` for its state.
    func namespace(_ name: String, starts: Bool = false) throws(RequestError) -> NamespaceRecord {
        if name.isEmpty { throw .invalidArgument("Namespace is empty.") }
        if name.utf8.count > limits.identifierLength { throw .invalidArgument("Namespace length exceeds limit.") }
        do throws(RequestError) {
            return try checkState(of: try namespaces.namespace(named: name), starts: starts)
        } catch {
            guard error.code == .notFound else { throw error }
            throw .namespaceNotFound(name)
        }
    }

    /// - Throws: `failedPrecondition` when nothing is to be done in the namespace, or started in it.
    func checkState(of record: NamespaceRecord, starts: Bool = false) throws(RequestError) -> NamespaceRecord {
        let allowed: [NamespaceState] = starts ? [.registered] : [.registered, .deprecated]
        if allowed.contains(record.state) { return record }
        let expected = starts ? "Registered" : "Registered or Deprecated"
        throw RequestError(
            .failedPrecondition,
            "Namespace has invalid state: \(record.state == .deprecated ? "Deprecated" : "Deleted"). "
                + "Must be \(expected).",
            detail: .namespaceInvalidState(record.name, record.state, allowed: allowed)
        )
    }

    /// The workflow that a request names, with or without a run id.
    ///
    /// - Throws: `invalidArgument`, `notFound` with the namespace's name.
    func workflow(_ execution: WorkflowExecution?, in name: String) throws(RequestError) -> WorkflowReference {
        let namespace = try self.namespace(name)
        guard let execution else { throw .invalidArgument("Execution is not set on request.") }
        // No workflow has a longer id. The answer repeats as much of it as fits into a status.
        if execution.workflowID.utf8.count > limits.identifierLength {
            throw .workflowNotFound(execution.workflowID.prefix(utf8: Self.longestEcho))
        }
        let missing = "WorkflowId is not set on request."
        try checkIdentifier(execution.workflowID, "WorkflowId", missing: missing, limits)
        var runID: RunID?
        if !execution.runID.isEmpty {
            guard let given = RunID(execution.runID) else { throw .invalidArgument("Invalid RunId.") }
            runID = given
        }
        let key = WorkflowKey(namespace: namespace.number, workflowID: execution.workflowID)
        return WorkflowReference(key: key, runID: runID)
    }

    /// The same for requests that also name the first run of the chain to which the workflow must belong.
    func workflow(
        _ execution: WorkflowExecution?,
        firstRunID: String,
        in name: String
    ) throws(RequestError) -> WorkflowReference {
        let workflow = try self.workflow(execution, in: name)
        guard !firstRunID.isEmpty else { return workflow }
        return WorkflowReference(key: workflow.key, runID: workflow.runID, firstRunID: firstRunID)
    }

    /// - Throws: `invalidArgument` when an identity is too long or holds NUL.
    func check(identity: String) throws(RequestError) {
        try checkIdentifier(identity, "Identity", missing: nil, limits)
    }

    /// - Throws: `invalidArgument` when the field exceeds the size of payloads.
    func checkSize(_ bytes: Int?, of field: String, _ call: GRPCServerCall) throws(RequestError) {
        if isTooLarge(bytes, field, call) { throw .invalidArgument("Blob data size exceeds limit.") }
    }

    /// Whether the field exceeds the size of payloads. Logs a warning when it is merely large.
    func isTooLarge(_ bytes: Int?, _ field: String, _ call: GRPCServerCall) -> Bool {
        noteSize(bytes, of: field, call)
        return (bytes ?? 0) > limits.payloadBytes
    }

    /// Logs a warning about a large payload: it is stored with the history, and sent with every replay.
    func noteSize(_ bytes: Int?, of field: String, _ call: GRPCServerCall) {
        noteSize(bytes, of: field, above: limits.warnedPayloadBytes, call)
    }

    /// Logs a warning about a value that is larger than `limit`.
    func noteSize(_ bytes: Int?, of field: String, above limit: Int, _ call: GRPCServerCall) {
        guard let bytes, bytes > limit else { return }
        let values: Logger.Metadata = ["field": "\(field)", "bytes": "\(bytes)"]
        log.warning("large payload", metadata: Self.about(call).merging(values) { $1 })
    }

    /// Clients accept 8 KiB of trailers in total, in which a byte may take three.
    private static let longestEcho = 1_500

    /// The client's deadline, at most `interval` from now; nil without a deadline.
    func deadline(of call: GRPCServerCall, atMost interval: Interval, slack: Interval) -> Instant? {
        guard let remaining = call.timeRemaining else { return nil }
        let now = clock()
        let waiting = min(Interval(remaining), interval + slack)
        return waiting > slack ? now + (waiting - slack) : now
    }
}

extension Interval {
    /// Converts a duration; saturates after 292 years.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, second) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        self.init(nanoseconds: overflow || second ? (seconds < 0 ? .min : .max) : sum)
    }

    static func + (left: Interval, right: Interval) -> Interval {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return Interval(nanoseconds: overflow ? .max : sum)
    }

    static func - (left: Interval, right: Interval) -> Interval {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return Interval(nanoseconds: overflow ? .min : difference)
    }
}
