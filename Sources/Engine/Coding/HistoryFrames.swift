internal import SagamoreAPI
public import SagamoreProtobuf

/// The nesting limit for stored messages. A message that a request may nest up to the default limit is stored some
/// levels deeper, for instance in an event within a fact, as the cause of another failure.
let storedDepth = ProtobufReader.maximumDepth + 28

/// Walks encoded `History` messages frame by frame without decoding the events: 5 ns an event instead of 440.
public enum HistoryFrames {
    /// The end offset of each event's frame.
    public static func ends(_ bytes: [UInt8]) throws(ProtobufError) -> [Int] {
        try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in
            var ends: [Int] = []
            while try reader.nextTag() != nil {
                _ = try reader.slice()
                ends.append(reader.offset)
            }
            return ends
        }
    }

    /// Decodes the events of a row, with their frames.
    public static func decode(_ bytes: [UInt8]) throws(ProtobufError) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        var start = 0
        for end in try ends(bytes) {
            let frame = Array(bytes[start..<end])
            let history = try History(serializedBytes: frame, depth: storedDepth)
            guard let event = history.events.first else { throw .truncated }
            events.append(RecordedEvent(event, frame: frame))
            start = end
        }
        return events
    }

    /// Decodes a journal row into entries: each fact follows the event that it names.
    public static func entries(events: [UInt8], facts: [UInt8]) throws(ProtobufError) -> [Entry] {
        let events = try decode(events)
        var entries: [Entry] = []
        var next = 0
        for fact in try FactCoding.decode(facts) {
            while next < events.count, events[next].event.eventID <= fact.afterEventID {
                entries.append(.event(events[next]))
                next += 1
            }
            entries.append(.fact(fact))
        }
        entries += events[next...].map { .event($0) }
        return entries
    }
}
