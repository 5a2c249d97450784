internal import SagamoreAPI
internal import SagamoreProtobuf

extension RawMessage<Payloads> {
    /// One payload with these bytes as its data.
    init(data: [UInt8]) {
        var writer = ProtobufWriter(capacity: data.count + 16)
        writer.bytes(2, data)
        writer.lengthDelimited(1, since: 0)
        self.init(uncheckedBytes: writer.bytes())
    }

    /// The data of the first payload; nil when there is none.
    var data: [UInt8]? {
        (try? ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in try reader.data() }) ?? nil
    }
}

extension ProtobufReader {
    /// Reads encoded payloads to their end. Returns the data of the first one.
    mutating func data() throws(ProtobufError) -> [UInt8]? {
        var data: [UInt8]?
        while let tag = try nextTag() {
            guard tag == 10, data == nil else {
                try skip()
                continue
            }
            let scope = try enter()
            data = []
            while let tag = try nextTag() {
                if tag == 18 { data = try bytes() } else { try skip() }
            }
            leave(scope)
        }
        return data
    }
}
