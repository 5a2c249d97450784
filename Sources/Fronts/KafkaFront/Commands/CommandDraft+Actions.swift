internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreJSONText
internal import SagamoreProtobuf
internal import SagamoreServices

extension CommandDraft {
    /// The command's action. Its shape was checked before.
    func action(
        _ name: CommandName,
        _ key: WorkflowKey,
        _ namespace: String,
        _ workflowType: String,
        _ origin: CommandOrigin
    ) throws(Refusal) -> IncomingCommand.Action {
        let runID = try self.runID()
        let reason = try text(.reason) ?? ""
        if reason.utf8.count > limits.payloadBytes { throw .invalid(.reason, "is too long") }
        switch name {
        case .start:
            let request = try startRequest(key, namespace, workflowType)
            let catalog = request.searchAttributes == nil ? nil : reader.searchAttributes(namespace)
            return .start(
                try engine { () throws(RequestError) in
                    try StartRequest(request, origin: origin, attributes: catalog, limits: limits)
                }
            )
        case .signal:
            guard let signal = try identifier(.signal) else { throw .invalid(.signal, "is missing") }
            let input = try self.input()
            let request = try engine { () throws(RequestError) in
                try SignalRequest(
                    name: signal,
                    input: input,
                    header: nil,
                    identity: reader.identity,
                    requestID: "",
                    origin: origin,
                    limits: limits
                )
            }
            return .signal(request, runID: runID)
        case .cancel:
            let request = CancelRequest(reason: reason, identity: reader.identity, requestID: "", origin: origin)
            return .cancel(request, runID: runID)
        case .terminate:
            let request = TerminateRequest(reason: reason, identity: reader.identity, origin: origin)
            return .terminate(request, runID: runID)
        case .signalWithStart, .query, .update:
            throw Refusal(code: "UNIMPLEMENTED", message: "command: \(name.rawValue) is not available in this version")
        }
    }

    /// The engine's refusals, with the codes of events.
    private func engine<Value>(_ body: () throws(RequestError) -> Value) throws(Refusal) -> Value {
        do throws(RequestError) {
            return try body()
        } catch {
            let code = error.code == .unimplemented ? "UNIMPLEMENTED" : "INVALID_ARGUMENT"
            throw Refusal(code: code, message: error.message)
        }
    }

    private func startRequest(
        _ key: WorkflowKey,
        _ namespace: String,
        _ workflowType: String
    ) throws(Refusal) -> StartWorkflowExecutionRequest {
        guard !workflowType.isEmpty else { throw .invalid(.workflow, "is missing") }
        guard let taskQueue = try identifier(.taskQueue) ?? route.taskQueue else {
            throw .invalid(.taskQueue, "is missing")
        }
        try check(workflowType, isIn: route.allowed.workflowTypes, .workflow)
        try check(taskQueue, isIn: route.allowed.taskQueues, .taskQueue)
        var request = StartWorkflowExecutionRequest()
        request.namespace = namespace
        request.workflowID = key.workflowID
        var type = WorkflowType()
        type.name = workflowType
        request.workflowType = type
        var queue = TaskQueue()
        queue.name = taskQueue
        queue.kind = .normal
        request.taskQueue = queue
        request.identity = reader.identity
        request.requestID = RequestID.forStart(commandID, limit: limits.identifierLength)
        request.input = try input()
        if let options = fields[.options], options.kind == .object {
            try CommandOptions(fields.raw(options), limits).apply(to: &request)
        }
        return request
    }

    private func runID() throws(Refusal) -> RunID? {
        guard let text = try text(.runID) else { return nil }
        guard let runID = RunID(text) else { throw .invalid(.runID, "must be a UUID") }
        return runID
    }

    private func input() throws(Refusal) -> RawMessage<Payloads>? {
        let spreads = fields[.inputIsArguments].map { $0.kind == .bool && $0.range.count == 4 } ?? false
        guard let value = fields[.input] else {
            if spreads { throw .invalid(.input, "must be an array where input_is_arguments is true") }
            return nil
        }
        if value.range.count > limits.payloadBytes { throw .invalid(.input, tooLarge) }
        let payloads: RawMessage<Payloads>
        if spreads {
            guard value.kind == .array, let elements = JSONPayloads.elements(of: fields.raw(value)) else {
                throw .invalid(.input, "must be an array where input_is_arguments is true")
            }
            payloads = JSONPayloads.payloads(elements)
        } else {
            payloads = JSONPayloads.payloads(CollectionOfOne(fields.raw(value)))
        }
        if payloads.bytes.count > limits.payloadBytes { throw .invalid(.input, tooLarge) }
        return payloads
    }

    private var tooLarge: String { "has more than \(limits.payloadBytes) bytes" }
}

/// The request id of a start by a command. The same command always has the same one.
enum RequestID {
    static func forStart(_ commandID: String, limit: Int) -> String {
        let id = "command:" + commandID
        guard id.utf8.count > limit else { return id }
        // 255 characters may be more bytes than a request id may have. The end is replaced by a hash of the whole.
        var hash: (UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 0x6c62_272e_07bb_0142)
        for byte in commandID.utf8 {
            hash.0 = (hash.0 ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
            hash.1 = (hash.1 &+ UInt64(byte) &+ 1) &* 0x9e37_79b9_7f4a_7c15
        }
        let ending = "#" + String(hash.0, radix: 16) + String(hash.1, radix: 16)
        var start = ""
        for scalar in id.unicodeScalars {
            guard start.utf8.count + 4 + ending.utf8.count <= limit else { break }
            start.unicodeScalars.append(scalar)
        }
        return start + ending
    }
}
