extension JSONValue {
    /// Parses a text as strictly as `JSONScanner`, and rejects duplicate keys at every level.
    /// - Parameters:
    ///   - bytes: The text: one value, with optional white space around it.
    ///   - depthLimit: The maximum number of nested objects and arrays; 1 to 1,000.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer,
        depthLimit: Int = JSONScanner.defaultDepthLimit
    ) throws(JSONError) -> JSONValue {
        precondition((1...JSONCursor.maximumDepth).contains(depthLimit), "depthLimit is 1 to 1,000")
        var cursor = JSONCursor(bytes)
        cursor.skipWhitespace()
        let value = try cursor.readValue(depth: depthLimit)
        try cursor.skipToEnd()
        return value
    }

    /// Parses a text. See `parse(_:depthLimit:)` for raw buffers.
    public static func parse(
        _ bytes: [UInt8],
        depthLimit: Int = JSONScanner.defaultDepthLimit
    ) throws(JSONError) -> JSONValue {
        try JSONScanner.withBuffer(of: bytes) { (buffer) throws(JSONError) in
            try parse(buffer, depthLimit: depthLimit)
        }
    }

    /// Parses a text. See `parse(_:depthLimit:)` for raw buffers.
    public static func parse(
        _ text: String,
        depthLimit: Int = JSONScanner.defaultDepthLimit
    ) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8), depthLimit: depthLimit)
    }
}

extension JSONCursor {
    fileprivate mutating func readValue(depth: Int) throws(JSONError) -> JSONValue {
        switch byte {
        case UInt8(ascii: "\""):
            return .string(text(of: try skipString()))
        case UInt8(ascii: "{"):
            guard depth > 0 else { throw JSONError(.tooDeep, at: offset) }
            return .object(try readObject(depth: depth - 1))
        case UInt8(ascii: "["):
            guard depth > 0 else { throw JSONError(.tooDeep, at: offset) }
            return .array(try readArray(depth: depth - 1))
        default:
            let first = offset
            switch try skipValue(depth: 0) {
            case .number:
                let digits = UnsafeBufferPointer(start: start + first, count: offset - first)
                return .number(JSONNumber(validated: String(decoding: digits, as: UTF8.self)))
            case .bool: return .bool(start[first] == UInt8(ascii: "t"))
            default: return .null
            }
        }
    }

    private mutating func readObject(depth: Int) throws(JSONError) -> JSONObject {
        var object = JSONObject()
        guard try enter(closing: UInt8(ascii: "}")) else { return object }
        var keys = JSONKeySet()
        repeat {
            let first = offset
            let key = text(of: try skipString())
            guard keys.insert(key) else { throw JSONError(.duplicateKey, at: first) }
            try skipColon()
            object.append(key, try readValue(depth: depth))
        } while try skipSeparator(closing: UInt8(ascii: "}"))
        return object
    }

    private mutating func readArray(depth: Int) throws(JSONError) -> [JSONValue] {
        var elements: [JSONValue] = []
        guard try enter(closing: UInt8(ascii: "]")) else { return elements }
        repeat {
            elements.append(try readValue(depth: depth))
        } while try skipSeparator(closing: UInt8(ascii: "]"))
        return elements
    }
}
