/// A JSON number that keeps its text, so that nothing is lost between reading and writing. Numbers are equal when their
/// texts are: `1.0` is not `1`.
public struct JSONNumber: Hashable, Sendable {
    /// The number's text.
    public let text: String

    /// - Returns: `nil` when the text is not a JSON number.
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
    /// - Returns: `nil` for infinities and NaN, which JSON lacks.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        text = value.description
    }

    init(validated text: String) {
        self.text = text
    }

    /// The value if it is an integer that fits in 64 bits.
    public var int64: Int64? {
        Int64(text)
    }

    /// The value, rounded to the nearest double; `nil` when it is too large for one.
    public var double: Double? {
        Double(text).flatMap { $0.isFinite ? $0 : nil }
    }
}
