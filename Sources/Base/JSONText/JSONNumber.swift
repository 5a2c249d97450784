/// A JSON number, with the text that it was read from or is written as: nothing is lost between reading and writing.
/// Two are equal when their texts are: `1.0` is not `1`.
public struct JSONNumber: Hashable, Sendable {
    /// The number as it stands in JSON.
    public let text: String

    /// - Returns: `nil` when the text breaks JSON's grammar of numbers.
    public init?(text: String) {
        let isNumber = try? JSONScanner.withBuffer(of: Array(text.utf8)) { (bytes) throws(JSONError) in
            var cursor = JSONCursor(bytes)
            try cursor.skipNumber()
            return cursor.offset == bytes.count
        }
        guard isNumber == true else { return nil }
        self.text = text
    }

    /// An integer.
    public init(_ value: some BinaryInteger) {
        text = value.description
    }

    /// A double in its shortest form.
    /// - Returns: `nil` for infinities and NaN, which JSON doesn't have.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        text = value.description
    }

    init(validated text: String) {
        self.text = text
    }

    /// The value if it is written as an integer and 64 bits hold it.
    public var int64: Int64? {
        Int64(text)
    }

    /// The value, rounded to the nearest double; `nil` when it is too large for one.
    public var double: Double? {
        Double(text).flatMap { $0.isFinite ? $0 : nil }
    }
}
