public import SagamoreEngine
internal import SagamoreJSONText
public import SagamoreServices

/// Encodes status events as JSON, as docs/COMMANDS-AND-EVENTS.md describes them.
public struct StatusEventJSON: StatusEventEncoder {
    /// The default size limit of a record in bytes: key, value and headers together. Brokers accept batches of
    /// 1,048,588 bytes by default (`message.max.bytes`), librdkafka records of 1,000,000; both include overhead.
    public static let defaultSizeLimit = 980_000

    private let sizeLimit: Int

    /// - Parameter sizeLimit: the size limit of a record in bytes: key, value and headers together.
    public init(sizeLimit: Int = Self.defaultSizeLimit) {
        self.sizeLimit = sizeLimit
    }

    /// The record of an event, keyed by its workflow id.
    public func encode(_ event: StatusEvent) -> OutboxRecord {
        let key = Array(event.workflowID.utf8)
        let headers = event.origin.headers
        let overhead = key.count + headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.count + 10 }
        let value = fittingValue(event, sizeLimit - overhead)
        return OutboxRecord(
            topic: event.origin.eventsTopic,
            key: key,
            value: value,
            headers: headers.map(OutboxRecord.Header.init)
        )
    }

    /// The largest form that fits: without the result, then with less and less of failure, reason and compensations.
    private func fittingValue(_ event: StatusEvent, _ room: Int) -> [UInt8] {
        // A result that cannot fit is not encoded first.
        var form = Form(result: (event.result?.bytes.count ?? 0) / 2 > room ? .omitted : .whole)
        while true {
            let value = value(event, form)
            if value.count <= room { return value }
            guard let smaller = form.smaller(for: event, room) else { return value }
            form = smaller
        }
    }

    /// Which parts of an event are included.
    private struct Form {
        enum Result { case whole, omitted }
        var result: Result
        var compensations = true
        /// The size limit of each text of failures and reasons, in bytes; nil for none.
        var textLimit: Int?
        var causes = FailureJSON.causeLimit

        func smaller(for event: StatusEvent, _ room: Int) -> Form? {
            var form = self
            if result == .whole, event.status == .passed {
                form.result = .omitted
            } else if textLimit == nil {
                form.textLimit = max(room / 8, 200)
            } else if compensations, event.failure != nil || event.details != nil {
                form.compensations = false
            } else if causes > 1 {
                form.causes = 1
            } else if let limit = textLimit, limit > 200 {
                form.textLimit = 200
            } else {
                return nil
            }
            return form
        }
    }

    private func value(_ event: StatusEvent, _ form: Form) -> [UInt8] {
        var json = JSONWriter(
            capacity: 256 + event.origin.correlation.count + min(event.result?.bytes.count ?? 0, 65_536)
        )
        json.beginObject()
        json.key("command_id")
        json.string(event.origin.commandID)
        json.key("workflow_id")
        json.string(event.workflowID)
        if !event.origin.correlation.isEmpty { json.raw(event.origin.correlation) }
        json.key("status")
        json.string(event.status.rawValue)
        if let runID = event.runID {
            json.key("run_id")
            json.string(runID.description)
        }
        if !event.workflowType.isEmpty {
            json.key("workflow")
            json.string(event.workflowType)
        }
        json.key("sequence")
        json.int(event.sequence)
        json.key("at")
        let at = event.at.timestamp
        json.string(RFC3339.string(secondsSince1970: at.seconds, nanos: at.nanos))
        outcome(event, form, &json)
        json.endObject()
        return json.bytes
    }

    private func outcome(_ event: StatusEvent, _ form: Form, _ json: inout JSONWriter) {
        if event.status == .passed {
            switch form.result {
            case .whole:
                json.key("result")
                PayloadJSON.append(event.result, to: &json)
            case .omitted:
                json.key("result_omitted")
                json.bool(true)
            }
        }
        let compensations = writeFailure(event, form, &json)
        if event.status == .terminated || event.reasonCode != nil || event.reasonMessage != nil {
            json.key("reason")
            json.beginObject()
            json.key("code")
            json.string(event.reasonCode ?? event.status.rawValue.uppercased())
            json.key("message")
            json.string(FailureJSON.shortened(event.reasonMessage ?? "", form.textLimit))
            json.endObject()
        }
        if form.compensations, let compensations {
            json.key("compensations")
            json.raw(compensations)
        }
    }

    /// - Returns: the array of compensations, if there is one.
    private func writeFailure(_ event: StatusEvent, _ form: Form, _ json: inout JSONWriter) -> [UInt8]? {
        if let raw = event.failure {
            json.key("failure")
            guard let failure = try? raw.decoded() else {
                FailureJSON.append(type: "Failure", message: "the failure could not be decoded", to: &json)
                return nil
            }
            FailureJSON.append(failure, causes: form.causes, textLimit: form.textLimit, to: &json)
            return form.compensations ? FailureJSON.compensations(of: failure) : nil
        }
        switch event.status {
        case .cancelled:
            json.key("failure")
            FailureJSON.append(type: "Cancelled", message: "the workflow was cancelled", to: &json)
        case .timedOut:
            json.key("failure")
            FailureJSON.append(type: "Timeout", message: "the workflow timed out", to: &json)
        default: break
        }
        guard form.compensations, let details = event.details else { return nil }
        return PayloadJSON.firstArray(of: details.bytes)
    }
}
