/// A word of a filter, and where it stands.
struct FilterToken: Equatable {
    enum Kind: Equatable {
        /// A name or a keyword, as it is written.
        case word(String)
        /// A name in backquotes: no keyword.
        case name(String)
        /// A text in quotes, without them.
        case text(String)
        case number(String)
        /// A sign: an operator, a parenthesis, a comma.
        case sign(String)
        case end
    }

    let kind: Kind
    /// The character with which it begins, from 1.
    let position: Int

    /// How messages name it.
    var description: String {
        switch kind {
        case .word(let text), .number(let text), .sign(let text): "'\(text.prefix(50))'"
        case .name(let text): "`\(text.prefix(50))`"
        case .text: "a text"
        case .end: "the end"
        }
    }
}

/// Takes a filter apart.
struct FilterLexer {
    private let characters: [Unicode.Scalar]
    private var index = 0

    /// The longest filter, in bytes.
    static let lengthLimit = 64 << 10

    /// - Throws: `FilterError` for a filter that is too long, a text that does not end, or a character that means
    ///   nothing.
    static func tokens(of text: String) throws(FilterError) -> [FilterToken] {
        guard text.utf8.count <= lengthLimit else {
            throw FilterError("the filter has \(text.utf8.count) bytes, and \(lengthLimit) are allowed")
        }
        var lexer = FilterLexer(characters: Array(text.unicodeScalars))
        var tokens: [FilterToken] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private init(characters: [Unicode.Scalar]) { self.characters = characters }

    private var current: Unicode.Scalar? { index < characters.count ? characters[index] : nil }

    private mutating func next() throws(FilterError) -> FilterToken {
        while let current, " \t\r\n".unicodeScalars.contains(current) { index += 1 }
        let position = index + 1
        guard let current else { return FilterToken(kind: .end, position: position) }
        return FilterToken(kind: try kind(current, position), position: position)
    }

    private mutating func kind(_ first: Unicode.Scalar, _ position: Int) throws(FilterError) -> FilterToken.Kind {
        switch first {
        case "'", "\"": return .text(try quoted(by: first, position))
        case "`": return .name(try quoted(by: first, position))
        case "(", ")", ",":
            index += 1
            return .sign(String(first))
        case "=", "!", "<", ">": return .sign(try comparison(first, position))
        case "0"..."9", "-", "+", ".": return .number(run { Self.isPartOfNumber($0) })
        default:
            let word = run { Self.isPartOfWord($0) }
            guard !word.isEmpty else { throw FilterError("'\(first)' means nothing", at: position) }
            return .word(word)
        }
    }

    private mutating func run(while isPart: (Unicode.Scalar) -> Bool) -> String {
        let start = index
        while let current, isPart(current) { index += 1 }
        return String(String.UnicodeScalarView(characters[start..<index]))
    }

    private static func isPartOfNumber(_ character: Unicode.Scalar) -> Bool {
        switch character {
        case "0"..."9", "-", "+", ".", "a"..."z", "A"..."Z", "_": true
        default: false
        }
    }

    private static func isPartOfWord(_ character: Unicode.Scalar) -> Bool {
        character == "_" || character == "." || character == "-" || character.properties.isAlphabetic
            || character.properties.numericType != nil
    }

    private mutating func comparison(_ first: Unicode.Scalar, _ position: Int) throws(FilterError) -> String {
        var sign = String(first)
        index += 1
        if let second = current, second == "=" || (first == "<" && second == ">") {
            sign.unicodeScalars.append(second)
            index += 1
        }
        guard sign != "!" else { throw FilterError("'!' is no comparison, expected '!='", at: position) }
        return sign
    }

    /// A quote that is doubled is a part of the text. So is one behind a backslash, but not in a name.
    private mutating func quoted(by quote: Unicode.Scalar, _ position: Int) throws(FilterError) -> String {
        var text = String.UnicodeScalarView()
        index += 1
        while let character = current {
            index += 1
            if character == quote {
                guard current == quote else { return String(text) }
                index += 1
            } else if quote != "`", character == "\\", let escaped = current, escaped == quote || escaped == "\\" {
                text.append(escaped)
                index += 1
                continue
            }
            text.append(character)
        }
        throw FilterError("the text that begins here does not end, expected \(quote)", at: position)
    }
}
