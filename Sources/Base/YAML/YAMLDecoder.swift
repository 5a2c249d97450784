/// Makes values from documents. Every key has to be one that somebody asked for.
public enum YAMLDecoder {
    /// Makes a value from a document. Its `init(from:)` finds `userInfo` in the decoder.
    ///
    /// A key counts as known when the value's `init(from:)` asked for it, whether it was there or not; `allKeys` asks
    /// for all. Errors of other types than `YAMLError` are reported with the place of the value that threw them.
    public static func decode<Value: Decodable>(
        _ type: Value.Type,
        from node: YAMLNode,
        userInfo: [CodingUserInfoKey: any Sendable] = [:]
    ) throws(YAMLError) -> Value {
        let coverage = Coverage(userInfo)
        let value = try NodeDecoder(node, [], coverage).value(of: type)
        try coverage.check()
        return value
    }
}

extension Decoder {
    /// Where the value stands that this decoder decodes; nil for decoders of other formats.
    public var yamlMark: YAMLMark? { (self as? NodeDecoder)?.node.mark }
}

/// The sections that were read, with the keys that somebody asked for.
final class Coverage {
    let userInfo: [CodingUserInfoKey: any Sendable]
    private var sections: [YAMLMark: (members: [YAMLMember], known: Set<String>)] = [:]

    init(_ userInfo: [CodingUserInfoKey: any Sendable]) { self.userInfo = userInfo }

    func visit(_ members: [YAMLMember], at mark: YAMLMark) {
        if sections[mark] == nil { sections[mark] = (members, []) }
    }

    func ask(for keys: some Sequence<String>, at mark: YAMLMark) {
        sections[mark]?.known.formUnion(keys)
    }

    /// The first key that nobody asked for.
    func check() throws(YAMLError) {
        var first: YAMLError?
        for (members, known) in sections.values {
            for member in members where !known.contains(member.key) && member.mark < first?.mark ?? .last {
                first = YAMLError(
                    .unknownKey(member.key, known: known.sorted()),
                    "unknown key '\(member.key)'",
                    at: member.mark
                )
            }
        }
        if let first { throw first }
    }
}

extension YAMLMark {
    fileprivate static let last = YAMLMark(line: .max, column: .max)
}

/// Decodes one value.
struct NodeDecoder: Decoder {
    let node: YAMLNode
    let codingPath: [any CodingKey]
    let coverage: Coverage

    init(_ node: YAMLNode, _ codingPath: [any CodingKey], _ coverage: Coverage) {
        self.node = node
        self.codingPath = codingPath
        self.coverage = coverage
    }

    var userInfo: [CodingUserInfoKey: Any] { coverage.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let members: [YAMLMember]
        switch node.content {
        case .mapping(let found): members = found
        case .scalar where node.isNull: members = []
        default: throw YAMLError(.badValue, "expected a section (keys with values), found \(node.kind)", at: node.mark)
        }
        coverage.visit(members, at: node.mark)
        return KeyedDecodingContainer(SectionContainer(members, at: node.mark, codingPath, coverage))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        switch node.content {
        case .sequence(let items): return ListContainer(items, at: node.mark, codingPath, coverage)
        case .scalar where node.isNull: return ListContainer([], at: node.mark, codingPath, coverage)
        default: throw YAMLError(.badValue, "expected a list, found \(node.kind)", at: node.mark)
        }
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { ScalarContainer(decoder: self) }

    func value<Value: Decodable>(of type: Value.Type) throws(YAMLError) -> Value {
        do {
            return try Value(from: self)
        } catch let error as YAMLError {
            throw error
        } catch DecodingError.keyNotFound(let key, _) {
            throw YAMLError(.missingKey(key.stringValue), "'\(key.stringValue)' is missing", at: node.mark)
        } catch DecodingError.dataCorrupted(let context), DecodingError.typeMismatch(_, let context),
            DecodingError.valueNotFound(_, let context)
        {
            throw YAMLError(.badValue, context.debugDescription, at: node.mark)
        } catch {
            throw YAMLError(.badValue, "\(error)", at: node.mark)
        }
    }

    func scalar<Value: YAMLScalar>(_ type: Value.Type) throws(YAMLError) -> Value {
        if case .scalar(let text, let isPlain) = node.content, !node.isNull,
            let value = Value(yaml: text, isPlain: isPlain)
        {
            return value
        }
        throw YAMLError(.badValue, "expected \(Value.expectation), found \(node.kind)", at: node.mark)
    }
}

/// A type that a single value is read as.
protocol YAMLScalar: Decodable {
    /// What is expected, for an error's message.
    static var expectation: String { get }
    init?(yaml text: String, isPlain: Bool)
}

extension String: YAMLScalar {
    static var expectation: String { "text" }

    /// Numbers are text, too, where text is expected.
    init?(yaml text: String, isPlain: Bool) { self = text }
}

extension Bool: YAMLScalar {
    static var expectation: String { "true or false" }

    init?(yaml text: String, isPlain: Bool) {
        guard isPlain, text == "true" || text == "false" else { return nil }
        self = text == "true"
    }
}

extension YAMLScalar where Self: FixedWidthInteger {
    static var expectation: String { "a whole number from \(Self.min) to \(Self.max)" }

    init?(yaml text: String, isPlain: Bool) {
        guard isPlain else { return nil }
        self.init(text)
    }
}

extension YAMLScalar where Self: LosslessStringConvertible & BinaryFloatingPoint {
    static var expectation: String { "a number" }

    init?(yaml text: String, isPlain: Bool) {
        guard isPlain, let value = Self(text), value.isFinite else { return nil }
        self = value
    }
}

extension Int: YAMLScalar {}
extension Int8: YAMLScalar {}
extension Int16: YAMLScalar {}
extension Int32: YAMLScalar {}
extension Int64: YAMLScalar {}
extension UInt: YAMLScalar {}
extension UInt8: YAMLScalar {}
extension UInt16: YAMLScalar {}
extension UInt32: YAMLScalar {}
extension UInt64: YAMLScalar {}
extension Float: YAMLScalar {}
extension Double: YAMLScalar {}
