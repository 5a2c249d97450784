package import SagamoreAPI
package import SagamoreEngine
package import SagamoreProtobuf

/// Messages as clients and workers send them.
package enum Samples {
    package static let key = WorkflowKey(namespace: 1, workflowID: "booking")
    package static let runID = RunID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)
    /// The id of the run that follows `runID`.
    package static let nextRunID = RunID(high: 0x0190_0000_0001_7000, low: 0x8000_0000_0000_0002)
    /// 2025-06-15T12:00:00Z.
    package static let noon = Instant(nanoseconds: 1_749_988_800_000_000_000)

    package static func payloads(_ text: String) -> RawMessage<Payloads> {
        var payload = Payload()
        payload.metadata["encoding"] = Array("json/plain".utf8)
        payload.data = Array("\"\(text)\"".utf8)
        var payloads = Payloads()
        payloads.payloads = [payload]
        return RawMessage(payloads)
    }

    package static func text(_ payloads: RawMessage<Payloads>?) -> String? {
        guard let data = try? payloads?.decoded().payloads.first?.data else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    package static func memo(_ fields: [String: String?]) -> RawMessage<Memo> {
        var memo = Memo()
        for (name, value) in fields {
            var payload = Payload()
            payload.metadata["encoding"] = Array((value == nil ? "binary/null" : "json/plain").utf8)
            payload.data = Array((value ?? "").utf8)
            memo.fields[name] = payload
        }
        return RawMessage(memo)
    }

    package static func searchAttributes(_ fields: [String: String]) -> RawMessage<SearchAttributes> {
        var attributes = SearchAttributes()
        for (name, value) in fields {
            var payload = Payload()
            payload.data = Array(value.utf8)
            attributes.indexedFields[name] = payload
        }
        return RawMessage(attributes)
    }

    package static func failure(
        _ message: String,
        type: String = "Broken",
        nonRetryable: Bool = false,
        nextRetryDelay: Interval? = nil
    ) -> RawMessage<Failure> {
        var info = ApplicationFailureInfo()
        info.type = type
        info.nonRetryable = nonRetryable
        info.nextRetryDelay = nextRetryDelay?.duration
        var failure = Failure()
        failure.message = message
        failure.failureInfo = .applicationFailureInfo(info)
        return RawMessage(failure)
    }

    package static func origin(_ commandID: String) -> CommandOrigin {
        CommandOrigin(
            commandID: commandID,
            eventsTopic: "saga.events",
            correlation: Array("\"order_id\":\"222222\"".utf8),
            headers: [.init(name: "traceparent", value: [0, 1, 255]), .init(name: "tracestate", value: [])]
        )
    }

    package static func start(
        requestID: String = "start",
        origin: CommandOrigin? = nil,
        lineage: Lineage = Lineage(),
        limits: Limits = Limits(),
        _ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }
    ) throws(RequestError) -> StartRequest {
        var request = StartWorkflowExecutionRequest()
        request.workflowID = key.workflowID
        request.workflowType = WorkflowType()
        request.workflowType?.name = "TravelBooking"
        request.taskQueue = queue("travel")
        request.input = payloads("input")
        request.identity = "client"
        request.requestID = requestID
        adjust(&request)
        return try StartRequest(request, origin: origin, lineage: lineage, limits: limits)
    }

    package static func queue(_ name: String) -> TaskQueue {
        var queue = TaskQueue()
        queue.name = name
        queue.kind = .normal
        return queue
    }

    package static func signal(
        _ name: String,
        requestID: String = "",
        origin: CommandOrigin? = nil,
        limits: Limits = Limits()
    ) throws(RequestError) -> SignalRequest {
        try SignalRequest(
            name: name,
            input: payloads(name),
            header: nil,
            identity: "client",
            requestID: requestID,
            origin: origin,
            limits: limits
        )
    }
}

extension Samples {
    /// A decision that writes facts behind all that the run has.
    package static func decision(_ facts: Fact..., on execution: SagamoreEngine.Execution) -> Decision {
        var decision = Decision()
        decision.entries = facts.map { .fact(RecordedFact($0, afterEventID: execution.durable.lastEventID)) }
        return decision
    }
}

extension ProtobufMessage {
    /// A message with some fields set.
    package static func with(_ adjust: (inout Self) -> Void) -> Self {
        var message = Self()
        adjust(&message)
        return message
    }
}
