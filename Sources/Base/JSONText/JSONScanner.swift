/// A member of an object's top level, as a scan meets it.
public struct JSONMember: Sendable, Equatable {
    /// The key, unescaped. Compare it by its UTF-8 when it isn't ASCII: Swift takes different spellings of one letter
    /// for equal, JSON doesn't.
    public let key: String
    /// What the value is.
    public let kind: JSONKind
    /// Where the value stands in the text, without the white space around it.
    public let range: Range<Int>
    /// Whether a member before this one has the same key.
    public let isDuplicate: Bool
}

/// Reads the top level of a JSON object in one pass and checks the whole text on the way: nested values too are
/// complete, their strings are UTF-8 without lone surrogates, their numbers keep the grammar. Nested values are not
/// built, and their keys are not compared with each other.
public enum JSONScanner {
    /// How many levels of objects and arrays a text may have when nobody says otherwise.
    public static let defaultDepthLimit = 128

    /// Scans an object and calls `receive` for each of its members, in the text's order.
    /// - Parameters:
    ///   - bytes: The whole text. White space may stand around the object, nothing else.
    ///   - depthLimit: How many levels of objects and arrays are allowed, the top level included; 1 to 1,000.
    ///   - receive: Is called while the rest of the text is not checked yet. What it throws ends the scan.
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

    /// Scans an object and collects its members, in the text's order. See `scan(_:depthLimit:_:)`.
    public static func members(
        of bytes: UnsafeRawBufferPointer,
        depthLimit: Int = defaultDepthLimit
    ) throws(JSONError) -> [JSONMember] {
        var members: [JSONMember] = []
        try scan(bytes, depthLimit: depthLimit) { (member) throws(JSONError) in members.append(member) }
        return members
    }

    /// Scans an object and collects its members, in the text's order. See `scan(_:depthLimit:_:)`.
    public static func members(
        of bytes: [UInt8],
        depthLimit: Int = defaultDepthLimit
    ) throws(JSONError) -> [JSONMember] {
        try withBuffer(of: bytes) { (buffer) throws(JSONError) in try members(of: buffer, depthLimit: depthLimit) }
    }

    /// Checks that the bytes are one JSON value of any kind, with the same strictness as a scan.
    /// - Returns: What the value is.
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

    /// Checks that the bytes are one JSON value of any kind, with the same strictness as a scan.
    /// - Returns: What the value is.
    @discardableResult
    public static func validate(
        _ bytes: [UInt8],
        depthLimit: Int = defaultDepthLimit
    ) throws(JSONError) -> JSONKind {
        try withBuffer(of: bytes) { (buffer) throws(JSONError) in try validate(buffer, depthLimit: depthLimit) }
    }

    /// Finds the elements of an array.
    /// - Returns: Where each element stands; nil when the text is another kind of valid value.
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

/// What a JSON value is.
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

    /// Whether it is neither an object nor an array.
    public var isScalar: Bool {
        self != .object && self != .array
    }
}

/// The keys of one object, compared by their bytes: `String` takes different spellings of one letter for equal.
struct JSONKeySet {
    /// Comparing with so many keys costs less than hashing them.
    private static let mostCompared = 16

    private var few: [String] = []
    private var many: Set<Key> = []

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
