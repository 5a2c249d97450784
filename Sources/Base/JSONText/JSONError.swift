/// Why and where a text is not the expected JSON.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public struct Code: Equatable, Sendable, CustomStringConvertible {
        /// The text ends inside a value.
        public static let unexpectedEnd = Code(.unexpectedEnd)
        /// An unexpected byte.
        public static let unexpectedByte = Code(.unexpectedByte)
        /// Something follows the value.
        public static let trailingBytes = Code(.trailingBytes)
        /// The text is valid JSON but not an object.
        public static let notAnObject = Code(.notAnObject)
        /// A number that breaks the grammar: `01`, `1.`, `+1`, `.5`.
        public static let invalidNumber = Code(.invalidNumber)
        /// An unescaped control character in a string.
        public static let controlCharacter = Code(.controlCharacter)
        /// An unknown escape, or `\u` without four hexadecimal digits.
        public static let invalidEscape = Code(.invalidEscape)
        /// A surrogate without its pair.
        public static let loneSurrogate = Code(.loneSurrogate)
        /// A string that is not valid UTF-8.
        public static let invalidUTF8 = Code(.invalidUTF8)
        /// Objects and arrays are nested too deeply.
        public static let tooDeep = Code(.tooDeep)
        /// An object has a key twice.
        public static let duplicateKey = Code(.duplicateKey)
        /// A value of another kind than expected.
        public static let wrongKind = Code(.wrongKind)
        /// A number out of range for the requested type.
        public static let outOfRange = Code(.outOfRange)

        private enum Kind {
            case unexpectedEnd, unexpectedByte, trailingBytes, notAnObject, invalidNumber, controlCharacter
            case invalidEscape, loneSurrogate, invalidUTF8, tooDeep, duplicateKey, wrongKind, outOfRange
        }

        private let kind: Kind

        private init(_ kind: Kind) {
            self.kind = kind
        }

        /// The code in words.
        public var description: String {
            switch kind {
            case .unexpectedEnd: "unexpected end of text"
            case .unexpectedByte: "unexpected byte"
            case .trailingBytes: "unexpected data after the value"
            case .notAnObject: "not an object"
            case .invalidNumber: "invalid number"
            case .controlCharacter: "control character in a string"
            case .invalidEscape: "invalid escape in a string"
            case .loneSurrogate: "lone surrogate in a string"
            case .invalidUTF8: "a string is not UTF-8"
            case .tooDeep: "nested too deeply"
            case .duplicateKey: "duplicate key in an object"
            case .wrongKind: "a value of a different kind was expected"
            case .outOfRange: "a number is out of range"
            }
        }
    }

    /// What is wrong.
    public let code: Code

    /// The offset at which it was detected, from the start of the given text.
    public let offset: Int

    init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    /// The code in words and the offset, without any of the text.
    public var description: String {
        "\(code) at byte \(offset)"
    }
}
