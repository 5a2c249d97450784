internal import SagamoreAPI
internal import SagamoreProtobuf

/// Values whose types only the reader knows: details of failures, of heartbeats, of a cancellation.
public struct EncodedValues: Sendable, Hashable {
    let raw: RawMessage<Payloads>?

    init(_ raw: RawMessage<Payloads>?) { self.raw = raw }

    init(_ payloads: Payloads?) { raw = payloads.map { RawMessage($0) } }

    /// No values.
    public init() { raw = nil }

    /// One value.
    /// - Throws: ``DataError`` when it can't be written.
    public init<Value: Encodable>(_ value: Value) throws(DataError) {
        raw = try PayloadCoding.list(value)
    }

    /// How many values there are.
    public var count: Int { (try? PayloadCoding.decoded(raw))?.payloads.count ?? 0 }

    /// The value at `index`, 0 unless given.
    /// - Throws: ``DataError`` when there is none, or one of another type.
    public func decode<Value: Decodable>(_ type: Value.Type, at index: Int = 0) throws(DataError) -> Value {
        let payloads = try PayloadCoding.decoded(raw).payloads
        guard payloads.indices.contains(index) else {
            throw DataError(.missing, "there are \(payloads.count) values, so none at \(index)")
        }
        return try PayloadCoding.decode(payloads[index], as: type)
    }
}
