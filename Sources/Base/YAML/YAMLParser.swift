internal import CSagamoreYAML

/// Reads a document with libyaml.
public enum YAMLParser {
    /// The deepest nesting, and the most values of a document. Aliases count as what they stand for.
    static let deepest = 50
    static let mostNodes = 100_000

    /// Reads the only document of a text; an empty text is nothing.
    ///
    /// - Throws: `YAMLError`, for what is not YAML, duplicate keys, keys that are no text, tags, several documents.
    public static func parse(_ text: String) throws(YAMLError) -> YAMLNode {
        var reading = Reading(text)
        defer { reading.close() }
        return try reading.document()
    }

    private struct Reading {
        /// libyaml keeps pointers into this object and into the text, so both stay where they are.
        private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        private let bytes: UnsafeMutableBufferPointer<UInt8>
        private let lines: [Substring]
        private var anchors: [String: (node: YAMLNode, size: Int)] = [:]
        private var nodes = 0

        init(_ text: String) {
            guard yaml_parser_initialize(parser) == 1 else { fatalError("out of memory") }
            let utf8 = Array(text.utf8)
            bytes = UnsafeMutableBufferPointer.allocate(capacity: utf8.count)
            _ = bytes.initialize(from: utf8)
            lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            yaml_parser_set_input_string(parser, bytes.baseAddress, utf8.count)
            yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        }

        func close() {
            yaml_parser_delete(parser)
            parser.deallocate()
            bytes.deallocate()
        }

        mutating func document() throws(YAMLError) -> YAMLNode {
            var root: YAMLNode?
            while true {
                let event = try next()
                defer { event.delete() }
                switch event.type {
                case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: break
                case YAML_DOCUMENT_START_EVENT:
                    if root != nil { throw YAMLError(.syntax, "a second document; one is expected", at: event.mark) }
                case YAML_STREAM_END_EVENT:
                    return root ?? YAMLNode(.scalar("", isPlain: true), at: YAMLMark(line: 1, column: 1))
                default: root = try node(event, depth: 0)
                }
            }
        }

        private mutating func node(_ event: Event, depth: Int) throws(YAMLError) -> YAMLNode {
            nodes += 1
            guard depth < YAMLParser.deepest else { throw YAMLError(.syntax, "nested too deeply", at: event.mark) }
            guard nodes <= YAMLParser.mostNodes else { throw YAMLError(.syntax, "too many values", at: event.mark) }
            if event.hasTag { throw YAMLError(.syntax, "tags ('!…') are not supported", at: event.mark) }
            let before = nodes
            let node: YAMLNode
            switch event.type {
            case YAML_ALIAS_EVENT: return try alias(event)
            case YAML_SCALAR_EVENT: node = YAMLNode(.scalar(event.text, isPlain: event.isPlain), at: event.mark)
            case YAML_SEQUENCE_START_EVENT: node = YAMLNode(.sequence(try sequence(depth)), at: event.mark)
            case YAML_MAPPING_START_EVENT: node = YAMLNode(.mapping(try mapping(depth)), at: event.mark)
            default: throw YAMLError(.syntax, "unexpected content", at: event.mark)
            }
            if let anchor = event.anchor { anchors[anchor] = (node, nodes - before + 1) }
            return node
        }

        private mutating func alias(_ event: Event) throws(YAMLError) -> YAMLNode {
            guard let name = event.anchor, let known = anchors[name] else {
                throw YAMLError(.syntax, "there is no anchor '&\(event.anchor ?? "")' above", at: event.mark)
            }
            nodes += known.size
            guard nodes <= YAMLParser.mostNodes else { throw YAMLError(.syntax, "too many values", at: event.mark) }
            return YAMLNode(known.node.content, at: event.mark)
        }

        private mutating func sequence(_ depth: Int) throws(YAMLError) -> [YAMLNode] {
            var items: [YAMLNode] = []
            while true {
                let event = try next()
                defer { event.delete() }
                if event.type == YAML_SEQUENCE_END_EVENT { return items }
                items.append(try node(event, depth: depth + 1))
            }
        }

        private mutating func mapping(_ depth: Int) throws(YAMLError) -> [YAMLMember] {
            var members: [YAMLMember] = []
            var lines: [String: Int] = [:]
            while true {
                let event = try next()
                defer { event.delete() }
                if event.type == YAML_MAPPING_END_EVENT { return members }
                guard event.type == YAML_SCALAR_EVENT else {
                    throw YAMLError(.syntax, "a key is a word, not a list or a section", at: event.mark)
                }
                let (key, mark) = (event.text, event.mark)
                if let line = lines.updateValue(mark.line, forKey: key) {
                    throw YAMLError(.duplicateKey, "'\(key)' is there already, in line \(line)", at: mark)
                }
                let value = try next()
                defer { value.delete() }
                members.append(YAMLMember(key: key, mark: mark, value: try node(value, depth: depth + 1)))
            }
        }

        private func next() throws(YAMLError) -> Event {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
            return Event(event)
        }

        private func problem() -> YAMLError {
            let parser = parser.pointee
            let text = parser.problem.map { String(cString: $0) } ?? "this is not YAML"
            if parser.error == YAML_READER_ERROR {
                // The reader knows only the offset of the byte.
                let before = bytes.prefix(parser.problem_offset)
                let line = before.count { $0 == UInt8(ascii: "\n") } + 1
                let column = before.count - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
                return YAMLError(.syntax, text, at: YAMLMark(line: line, column: column))
            }
            let mark = YAMLMark(parser.problem_mark)
            let isIndentedByTab =
                mark.line <= lines.count
                && lines[mark.line - 1].prefix { $0 == " " || $0 == "\t" }.contains("\t")
            if isIndentedByTab {
                return YAMLError(.syntax, "the line is indented with a tab; YAML is indented with spaces", at: mark)
            }
            let context = parser.context.map { " " + String(cString: $0) } ?? ""
            return YAMLError(.syntax, text + context, at: mark)
        }
    }

    /// An event of libyaml; `delete()` frees it.
    private struct Event {
        private let event: yaml_event_t

        init(_ event: yaml_event_t) { self.event = event }

        var type: yaml_event_type_t { event.type }
        var mark: YAMLMark { YAMLMark(event.start_mark) }

        var text: String {
            let scalar = event.data.scalar
            return String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
        }

        var isPlain: Bool { event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE }

        var anchor: String? {
            let name =
                switch type {
                case YAML_ALIAS_EVENT: event.data.alias.anchor
                case YAML_SCALAR_EVENT: event.data.scalar.anchor
                case YAML_SEQUENCE_START_EVENT: event.data.sequence_start.anchor
                case YAML_MAPPING_START_EVENT: event.data.mapping_start.anchor
                default: UnsafeMutablePointer<yaml_char_t>?.none
                }
            return name.map { String(cString: $0) }
        }

        var hasTag: Bool {
            switch type {
            case YAML_SCALAR_EVENT: event.data.scalar.tag != nil
            case YAML_SEQUENCE_START_EVENT: event.data.sequence_start.tag != nil
            case YAML_MAPPING_START_EVENT: event.data.mapping_start.tag != nil
            default: false
            }
        }

        func delete() {
            var event = event
            yaml_event_delete(&event)
        }
    }
}

extension YAMLMark {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: mark.line + 1, column: mark.column + 1)
    }
}
