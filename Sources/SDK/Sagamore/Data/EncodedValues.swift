package import SagamoreAPI
package import SagamoreProtobuf

/// Encoded values whose types only the reader knows: details of failures, heartbeats, or cancellations.
public struct EncodedValues: Sendable, Hashable {
    let raw: RawMessage<Payloads>?

    package init(_ raw: RawMessage<Payloads>?) { self.raw = raw }

    init(_ payloads: Payloads?) { raw = payloads.map { RawMessage($0) } }

    /// No values.
    public init() { raw = nil }

    /// One value.
    /// - Throws: ``DataError`` when it cannot be encoded.
    public init<Value: Encodable>(_ value: Value) throws(DataError) {
        raw = try PayloadCoding.list(value)
    }

    /// The number of values.
    public var count: Int { (try? PayloadCoding.decoded(raw))?.payloads.count ?? 0 }

    /// The value at `index`; the first by default.
    /// - Throws: ``DataError`` when it is missing or has another type.
    public func decode<Value: Decodable>(_ type: Value.Type, at index: Int = 0) throws(DataError) -> Value {
        let payloads = try PayloadCoding.decoded(raw).payloads
        guard payloads.indices.contains(index) else {
            throw DataError(.missing, "there is no value at \(index): there are \(payloads.count) values")
        }
        return try PayloadCoding.decode(payloads[index], as: type)
    }
}

/// The input or output of something that takes or returns no value.
public struct Nothing: Codable, Hashable, Sendable {
    /// The only value.
    public init() {}
}
