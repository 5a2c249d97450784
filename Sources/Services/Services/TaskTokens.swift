public import SagamoreEngine
internal import SagamoreProtobuf

/// The token that a worker returns with its answer. Opaque to workers.
public enum TaskToken: Equatable, Sendable {
    /// A started workflow task.
    case workflow(WorkflowTaskToken)
    /// A started attempt of an activity.
    case activity(ActivityTaskToken)
    /// A query that was delivered as a task of its own.
    case query(QueryToken)

    /// The contents of a query's token.
    public struct QueryToken: Equatable, Sendable {
        /// The workflow that is asked.
        public let key: WorkflowKey
        /// The run that is asked.
        public let runID: RunID
        /// The query's number in its shard.
        public let queryID: UInt64

        public init(key: WorkflowKey, runID: RunID, queryID: UInt64) {
            self.key = key
            self.runID = runID
            self.queryID = queryID
        }
    }

    /// The workflow that the task belongs to.
    public var key: WorkflowKey {
        switch self {
        case .workflow(let token): token.key
        case .activity(let token): token.key
        case .query(let token): token.key
        }
    }

    /// The token's encoded form.
    public var bytes: [UInt8] {
        var writer = ProtobufWriter(capacity: 128)
        switch self {
        case .workflow(let token):
            writer.int64(9, token.epoch)
            writer.fixed64(8, token.nonce)
            writer.int32(7, token.attempt)
            writer.int64(6, token.startedEventID)
            write(token.key, token.runID, kind: 1, &writer)
        case .activity(let token):
            writer.fixed64(8, token.nonce)
            writer.int32(7, token.attempt)
            writer.int64(6, token.scheduledEventID)
            write(token.key, token.runID, kind: 2, &writer)
        case .query(let token):
            writer.fixed64(8, token.queryID)
            write(token.key, token.runID, kind: 3, &writer)
        }
        return writer.bytes()
    }

    /// - Throws: `invalidArgument` when the bytes are not a token of this server.
    public init(_ bytes: [UInt8]) throws(RequestError) {
        let invalid = RequestError.invalidArgument("Error deserializing task token.")
        guard !bytes.isEmpty else { throw .invalidArgument("Task token not set on request.") }
        do throws(ProtobufError) {
            let fields = try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in try Fields(&reader) }
            let key = WorkflowKey(namespace: fields.namespace, workflowID: fields.workflowID)
            let runID = RunID(high: fields.high, low: fields.low)
            switch fields.kind {
            case 1:
                self = .workflow(
                    WorkflowTaskToken(
                        key: key,
                        runID: runID,
                        startedEventID: fields.eventID,
                        attempt: fields.attempt,
                        nonce: fields.nonce,
                        epoch: fields.epoch
                    )
                )
            case 2:
                self = .activity(
                    ActivityTaskToken(
                        key: key,
                        runID: runID,
                        scheduledEventID: fields.eventID,
                        attempt: fields.attempt,
                        nonce: fields.nonce
                    )
                )
            case 3:
                self = .query(QueryToken(key: key, runID: runID, queryID: fields.nonce))
            default:
                throw ProtobufError.invalidTag
            }
        } catch {
            throw invalid
        }
    }

    private func write(_ key: WorkflowKey, _ runID: RunID, kind: Int32, _ writer: inout ProtobufWriter) {
        writer.fixed64(5, runID.low)
        writer.fixed64(4, runID.high)
        writer.string(3, key.workflowID)
        writer.int32(2, key.namespace)
        writer.int32(1, kind)
    }

    private struct Fields {
        var kind: Int32 = 0
        var namespace: Int32 = 0
        var workflowID = ""
        var high: UInt64 = 0
        var low: UInt64 = 0
        var eventID: Int64 = 0
        var attempt: Int32 = 0
        var nonce: UInt64 = 0
        var epoch: Int64 = 0

        init(_ reader: inout ProtobufReader) throws(ProtobufError) {
            while try reader.nextTag() != nil {
                switch (reader.fieldNumber, reader.wireType) {
                case (1, .varint): kind = try reader.int32()
                case (2, .varint): namespace = try reader.int32()
                case (3, .lengthDelimited): workflowID = try reader.string()
                case (4, .fixed64): high = try reader.fixed64()
                case (5, .fixed64): low = try reader.fixed64()
                case (6, .varint): eventID = try reader.int64()
                case (7, .varint): attempt = try reader.int32()
                case (8, .fixed64): nonce = try reader.fixed64()
                case (9, .varint): epoch = try reader.int64()
                default: throw .invalidTag
                }
            }
        }
    }
}
