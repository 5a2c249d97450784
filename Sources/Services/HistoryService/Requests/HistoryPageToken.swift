internal import SagamoreEngine
internal import SagamoreProtobuf

/// Where reading a history continues. Clients send it back as opaque bytes.
struct HistoryPageToken {
    let runID: RunID
    let nextEventID: Int64
    /// The last event to show; 0 for all events.
    let lastEventID: Int64
    /// Frames of events that follow the last one and are not stored: the Started event of a task that a worker holds.
    let suffix: [UInt8]
    /// The pages lead back to the first event: `nextEventID` and those before it are still to be shown.
    let isReversed: Bool

    init(runID: RunID, nextEventID: Int64, lastEventID: Int64, suffix: [UInt8], isReversed: Bool = false) {
        self.isReversed = isReversed
        self.runID = runID
        self.nextEventID = nextEventID
        self.lastEventID = lastEventID
        self.suffix = suffix
    }

    var bytes: [UInt8] {
        var writer = ProtobufWriter(capacity: 64)
        writer.bool(6, omittingDefault: isReversed)
        if !suffix.isEmpty { writer.bytes(5, suffix) }
        writer.int64(4, lastEventID)
        writer.int64(3, nextEventID)
        writer.fixed64(2, runID.low)
        writer.fixed64(1, runID.high)
        return writer.bytes()
    }

    init(_ bytes: [UInt8]) throws(RequestError) {
        do throws(ProtobufError) {
            self = try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in
                var high: UInt64 = 0
                var low: UInt64 = 0
                var next: Int64 = 0
                var last: Int64 = 0
                var suffix: [UInt8] = []
                var isReversed = false
                while try reader.nextTag() != nil {
                    switch (reader.fieldNumber, reader.wireType) {
                    case (1, .fixed64): high = try reader.fixed64()
                    case (2, .fixed64): low = try reader.fixed64()
                    case (3, .varint): next = try reader.int64()
                    case (4, .varint): last = try reader.int64()
                    case (5, .lengthDelimited): suffix = try reader.bytes()
                    case (6, .varint): isReversed = try reader.bool()
                    default: throw .invalidTag
                    }
                }
                guard next > 0, last >= 0 else { throw .invalidTag }
                let runID = RunID(high: high, low: low)
                return HistoryPageToken(
                    runID: runID,
                    nextEventID: next,
                    lastEventID: last,
                    suffix: suffix,
                    isReversed: isReversed
                )
            }
        } catch {
            throw .invalidPageToken
        }
    }
}

extension RequestError {
    /// A page token that is damaged, or comes from another kind of read.
    static let invalidPageToken = RequestError.invalidArgument("Invalid NextPageToken.")
}
