/// A top-level member of an object.
public struct JSONMember: Sendable, Equatable {
    /// The key, unescaped. Compare non-ASCII keys by their UTF-8: Swift compares by canonical equivalence, JSON by code
    /// points.
    public let key: String
    /// The kind of the value.
    public let kind: JSONKind
    /// The value's range in the text, without surrounding white space.
    public let range: Range<Int>
    /// Whether an earlier member has the same key.
    public let isDuplicate: Bool
}

/// Reads the top level of a JSON object in one pass and validates the whole text, including nested values: their
/// syntax, their numbers, and their strings, which must be UTF-8 without lone surrogates. It does not build nested
/// values or check their keys for duplicates.
public enum JSONScanner {
    /// The default maximum number of nested objects and arrays.
    public static let defaultDepthLimit = 128

    /// Scans an object and calls `receive` for each member, in the text's order.
    /// - Parameters:
    ///   - bytes: The text: one object, with optional white space around it.
    ///   - depthLimit: The maximum number of nested objects and arrays, including the top level; 1 to 1,000.
    ///   - receive: Called before the rest of the text is validated. An error that it throws ends the scan.
    /// - Throws: `JSONError` with code `notAnObject` for another kind of valid value, other codes for an invalid text.
    public static func scan(
        _ bytes: UnsafeRawBufferPointer,
        depthLimit: Int = defaultDepthLimit,
        _ receive: (JSONMember) throws(JSONError) -> Void
    ) throws(JSONError) {
        precondition((1...JSONCursor.maximumDepth).contains(depthLimit), "depthLimit is 1 to 1,000")
        var cursor = JSONCursor(bytes)
        cursor.skipWhitespace()
        guard cursor.byte == UInt8(ascii: "{") else {
            let start = cursor.offset
            _ = try cursor.skipValue(depth: depthLimit)
            try cursor.skipToEnd()
            throw JSONError(.notAnObject, at: start)
        }
        guard try cursor.enter(closing: UInt8(ascii: "}")) else { return try cursor.skipToEnd() }
        var keys = JSONKeySet()
        repeat {
            let key = cursor.text(of: try cursor.skipString())
            try cursor.skipColon()
            let start = cursor.offset
            let kind = try cursor.skipValue(depth: depthLimit - 1)
            let isNew = keys.insert(key)
            try receive(JSONMember(key: key, kind: kind, range: start..<cursor.offset, isDuplicate: !isNew))
        } while try cursor.skipSeparator(closing: UInt8(ascii: "}"))
        try cursor.skipToEnd()
    }

    /// Scans an object and returns its members, in the text's order. See `scan(_:depthLimit:_:)`.
    public static func members(
        of bytes: UnsafeRawBufferPointer,
        depthLimit: Int = defaultDepthLimit
    ) throws(JSONError) -> [JSONMember] {
        var members: [JSONMember] = []
        try scan(bytes, depthLimit: depthLimit) { (member) throws(JSONError) in members.append(member) }
        return members
    }

    /// Scans an object and returns its members, in the text's order. See `scan(_:depthLimit:_:)`.
    public static func members(
        of bytes: [UInt8],
        depthLimit: Int = defaultDepthLimit
    ) throws(JSONError) -> [JSONMember] {
        try withBuffer(of: bytes) { (buffer) throws(JSONError) in try members(of: buffer, depthLimit: depthLimit) }
    }

    /// Checks that the bytes are one JSON value of any kind, as strictly as a scan.
    /// - Returns: The kind of the value.
    @discardableResult
    public static func validate(
        _ bytes: UnsafeRawBufferPointer,
        depthLimit: Int = defaultDepthLimit
    ) throws(JSONError) -> JSONKind {
        precondition((1...JSONCursor.maximumDepth).contains(depthLimit), "depthLimit is 1 to 1,000")
        var cursor = JSONCursor(bytes)
        cursor.skipWhitespace()
        let kind = try cursor.skipValue(depth: depthLimit)
        try cursor.skipToEnd()
        return kind
    }

    /// Checks that the bytes are one JSON value of any kind, as strictly as a scan.
    /// - Returns: The kind of the value.
    @discardableResult
    public static func validate(
        _ bytes: [UInt8],
        depthLimit: Int = defaultDepthLimit
    ) throws(JSONError) -> JSONKind {
        try withBuffer(of: bytes) { (buffer) throws(JSONError) in try validate(buffer, depthLimit: depthLimit) }
    }

    /// Finds the elements of an array.
    /// - Returns: The range of each element; nil when the text is another kind of valid value.
    public static func elements(
        of bytes: [UInt8],
        depthLimit: Int = defaultDepthLimit
    ) throws(JSONError) -> [Range<Int>]? {
        precondition((1...JSONCursor.maximumDepth).contains(depthLimit), "depthLimit is 1 to 1,000")
        return try withBuffer(of: bytes) { (buffer) throws(JSONError) in
            guard try validate(buffer, depthLimit: depthLimit) == .array else { return nil }
            var cursor = JSONCursor(buffer)
            cursor.skipWhitespace()
            guard try cursor.enter(closing: UInt8(ascii: "]")) else { return [] }
            var elements: [Range<Int>] = []
            repeat {
                let start = cursor.offset
                _ = try cursor.skipValue(depth: depthLimit - 1)
                elements.append(start..<cursor.offset)
            } while try cursor.skipSeparator(closing: UInt8(ascii: "]"))
            return elements
        }
    }

    static func withBuffer<Value>(
        of bytes: [UInt8],
        _ body: (UnsafeRawBufferPointer) throws(JSONError) -> Value
    ) throws(JSONError) -> Value {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in try body(UnsafeRawBufferPointer(buffer)) }
    }
}

/// The kind of a JSON value.
public enum JSONKind: String, Sendable {
    /// A string.
    case string
    /// A number.
    case number
    /// `true` or `false`.
    case bool
    /// `null`.
    case null
    /// An object.
    case object
    /// An array.
    case array

    /// Whether it is neither object nor array.
    public var isScalar: Bool {
        self != .object && self != .array
    }
}

/// The keys of one object, compared by their bytes: `String` compares by canonical equivalence.
struct JSONKeySet {
    /// Up to this many keys, comparing costs less than hashing.
    private static let mostCompared = 16

    private var few: [String] = []
    private var many: Set<Key> = []

    /// Inserts a key.
    /// - Returns: Whether the key is new.
    mutating func insert(_ key: String) -> Bool {
        guard many.isEmpty else { return many.insert(Key(text: key)).inserted }
        for known in few where Key.areEqual(known, key) { return false }
        few.append(key)
        if few.count > Self.mostCompared { many = Set(few.map { Key(text: $0) }) }
        return true
    }

    private struct Key: Hashable {
        let text: String

        static func == (left: Key, right: Key) -> Bool {
            areEqual(left.text, right.text)
        }

        static func areEqual(_ left: String, _ right: String) -> Bool {
            left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
        }

        func hash(into hasher: inout Hasher) {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}
