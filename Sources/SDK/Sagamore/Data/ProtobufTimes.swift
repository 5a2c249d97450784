internal import FoundationEssentials
internal import SagamoreAPI
internal import SagamoreProtobuf

extension ProtobufDuration {
    /// A span of Swift's; less than a nanosecond is cut off.
    init(_ duration: Duration) {
        let parts = duration.components
        self.init(seconds: parts.seconds, nanos: Int32(parts.attoseconds / 1_000_000_000))
    }
}

extension Duration {
    /// A span of the wire.
    init(_ duration: ProtobufDuration) {
        self = .seconds(duration.seconds) + .nanoseconds(Int64(duration.nanos))
    }

    /// A span of the wire; nil for nothing, which there means that there is no limit.
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
    init(workflowID: String, runID: String) {
        self.init()
        self.workflowID = workflowID
        self.runID = runID
    }
}

extension Date {
    /// A moment of the wire; 1970 where there is none.
    init(_ time: ProtobufTimestamp?) {
        self.init(timeIntervalSince1970: Double(time?.seconds ?? 0) + Double(time?.nanos ?? 0) / 1_000_000_000)
    }
}
