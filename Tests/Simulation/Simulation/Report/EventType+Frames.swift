internal import SagamoreAPI
internal import SagamoreProtobuf

extension EventType {
    /// Those of the wire contract. What the service does not write yet never occurs.
    static let known = (1...60 as ClosedRange<Int32>).map(EventType.init(rawValue:))

    /// The types of encoded frames of `History.events`.
    static func ofFrames(_ frames: [UInt8]) throws(ProtobufError) -> [EventType] {
        try ProtobufReader.read(frames) { (reader) throws(ProtobufError) in
            var types: [EventType] = []
            while try reader.nextTag() != nil {
                var fields = ProtobufReader(try reader.slice())
                // Field 3, a varint.
                while let tag = try fields.nextTag() {
                    if tag == 24 {
                        types.append(EventType(rawValue: try fields.int32()))
                        break
                    }
                    try fields.skip()
                }
            }
            return types
        }
    }
}
