/// A value of a YAML document, with the place where it stands.
public struct YAMLNode: Sendable {
    /// What a value is.
    public enum Content: Sendable {
        /// A single value. A plain one (without quotes) may mean a number, a truth value or nothing; a quoted one is
        /// text.
        case scalar(String, isPlain: Bool)
        /// Values in order.
        case sequence([YAMLNode])
        /// Values by key, in the document's order. Each key occurs once.
        case mapping([YAMLMember])
    }

    /// What it is.
    public var content: Content
    /// Where it begins.
    public let mark: YAMLMark

    /// A value at a place.
    public init(_ content: Content, at mark: YAMLMark) {
        self.content = content
        self.mark = mark
    }

    /// Whether the value is missing: empty, `~` or `null`, without quotes.
    public var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// What it is, in a word or two.
    public var kind: String {
        switch content {
        case _ where isNull: "nothing"
        case .scalar(let text, isPlain: true): "'\(text)'"
        case .scalar: "text"
        case .sequence: "a list"
        case .mapping: "a section"
        }
    }
}

/// A key with its value.
public struct YAMLMember: Sendable {
    /// The key.
    public let key: String
    /// Where the key stands.
    public let mark: YAMLMark
    /// Its value.
    public var value: YAMLNode
}

/// A place in a document; lines and columns count from 1.
public struct YAMLMark: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The line.
    public let line: Int
    /// The column, in characters.
    public let column: Int

    /// A place.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// Line and column, as compilers write them.
    public var description: String { "\(line):\(column)" }

    /// The earlier one is less.
    public static func < (left: YAMLMark, right: YAMLMark) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// What is wrong in a document, and where.
public struct YAMLError: Error, Sendable, CustomStringConvertible {
    /// The kinds of errors.
    public enum Code: Sendable, Hashable {
        /// The document is not YAML, or uses a part of YAML that is not supported.
        case syntax
        /// A key occurs twice in a section.
        case duplicateKey
        /// Nobody asked for a key. `known` are those that somebody asked for.
        case unknownKey(String, known: [String])
        /// A key is missing.
        case missingKey(String)
        /// A value is of another type, or out of its bounds.
        case badValue
    }

    /// The kind of error.
    public let code: Code
    /// Where.
    public let mark: YAMLMark
    /// What is wrong, and what is expected.
    public let message: String

    /// An error at a place.
    public init(_ code: Code, _ message: String, at mark: YAMLMark) {
        self.code = code
        self.mark = mark
        self.message = message
    }

    /// Line, column and message.
    public var description: String { "\(mark): \(message)" }
}
