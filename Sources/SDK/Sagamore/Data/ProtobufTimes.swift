internal import FoundationEssentials
package import SagamoreAPI
internal import SagamoreProtobuf

extension ProtobufDuration {
    /// Converts a duration, truncated to nanoseconds.
    init(_ duration: Duration) {
        let parts = duration.components
        self.init(seconds: parts.seconds, nanos: Int32(parts.attoseconds / 1_000_000_000))
    }
}

extension Duration {
    /// Converts a duration from the wire.
    init(_ duration: ProtobufDuration) {
        self = .seconds(duration.seconds) + .nanoseconds(Int64(duration.nanos))
    }

    /// Converts a duration from the wire; nil for zero, which means no limit there.
    init?(positive duration: ProtobufDuration) {
        self.init(duration)
        if self <= .zero { return nil }
    }
}

extension SagamoreAPI.ActivityType {
    init(name: String) {
        self.init()
        self.name = name
    }
}

extension SagamoreAPI.WorkflowType {
    init(name: String) {
        self.init()
        self.name = name
    }
}

extension TaskQueue {
    init(name: String, kind: TaskQueueKind = .normal, normalName: String = "") {
        self.init()
        self.name = name
        self.kind = kind
        self.normalName = normalName
    }
}

extension WorkflowExecution {
    package init(workflowID: String, runID: String) {
        self.init()
        self.workflowID = workflowID
        self.runID = runID
    }
}

extension Date {
    /// Converts a time from the wire; 1970 when it is missing.
    init(_ time: ProtobufTimestamp?) {
        self.init(timeIntervalSince1970: Double(time?.seconds ?? 0) + Double(time?.nanos ?? 0) / 1_000_000_000)
    }
}
