public import SagamoreEngine

/// A command from a topic, valid or refused, with everything that is committed together with its effect.
public final class IncomingCommand: Sendable {
    /// What the command asks for.
    public enum Action: Sendable {
        /// Start a workflow.
        case start(StartRequest)
        /// Signal the run with this id, or the current one.
        case signal(SignalRequest, runID: RunID?)
        /// Ask the run with this id, or the current one, to cancel.
        case cancel(CancelRequest, runID: RunID?)
        /// Terminate the run with this id, or the current one.
        case terminate(TerminateRequest, runID: RunID?)
        /// Refuse the command: it is valid but cannot be executed in any state. Has `reason.code` and `reason.message`.
        case refuse(code: String, message: String)
    }

    /// The workflow that the command is for.
    public let key: WorkflowKey
    /// The workflow type, for the `rejected` event; may be empty.
    public let workflowType: String
    /// The command's id, and the fields that its events repeat.
    public let origin: CommandOrigin
    /// The record that held the command.
    public let source: RecordCoordinates
    /// What the command asks for.
    public let action: Action

    public init(
        key: WorkflowKey,
        workflowType: String,
        origin: CommandOrigin,
        source: RecordCoordinates,
        action: Action
    ) {
        self.key = key
        self.workflowType = workflowType
        self.origin = origin
        self.source = source
        self.action = action
    }
}

/// The position of a record. It includes the cluster's id, because the development broker counts from zero at each
/// start, and the record's time, because a topic that was deleted and created again does so too.
public struct RecordCoordinates: Hashable, Sendable {
    /// The Kafka cluster's id.
    public let cluster: String
    /// The topic.
    public let topic: String
    /// The partition.
    public let partition: Int32
    /// The record's offset in the partition.
    public let offset: Int64
    /// The record's time in milliseconds since 1970, the same at each delivery; nil when it has none.
    public let timestamp: Int64?

    public init(cluster: String, topic: String, partition: Int32, offset: Int64, timestamp: Int64? = nil) {
        self.cluster = cluster
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
    }

    /// The key under which the partition's dead letters are stored; it decides their shard.
    public var letterKey: WorkflowKey { WorkflowKey(namespace: 0, workflowID: "\(cluster)/\(topic)/\(partition)") }
}

/// A record that waits in the outbox for its topic.
public struct OutboxRecord: Equatable, Sendable {
    /// The topic that the record is for.
    public let topic: String
    /// The record's key, or nil for none.
    public let key: [UInt8]?
    /// The record's value, or nil for none.
    public let value: [UInt8]?
    /// The record's headers, in order.
    public let headers: [Header]

    /// A header of the record.
    public struct Header: Equatable, Sendable {
        /// The header's name; names may repeat.
        public let name: String
        /// The value. Nil is Kafka's null, which differs from an empty value.
        public let value: [UInt8]?

        public init(name: String, value: [UInt8]?) {
            self.name = name
            self.value = value
        }

        /// A header of a command, for its events.
        public init(_ header: CommandOrigin.Header) { self.init(name: header.name, value: header.value) }
    }

    public init(topic: String, key: [UInt8]?, value: [UInt8]?, headers: [Header]) {
        self.topic = topic
        self.key = key
        self.value = value
        self.headers = headers
    }
}

/// Encodes status events as records. Implemented by the Kafka front; used when a transition is written.
public protocol StatusEventEncoder: Sendable {
    /// The record of an event, with topic, key, and headers.
    func encode(_ event: StatusEvent) -> OutboxRecord
}

/// The result of a command. It is durable when it is reported.
public enum CommandOutcome: Sendable, Equatable {
    /// It took effect, and its event is in the outbox.
    case carriedOut
    /// It was refused, and its event is in the outbox.
    case rejected
    /// Its id was known, and nothing was done.
    case duplicate
}
