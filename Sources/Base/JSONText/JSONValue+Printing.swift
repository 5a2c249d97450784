extension JSONValue {
    /// The value as JSON.
    /// - Parameters:
    ///   - pretty: Whether to write one member or element per line, indented by two spaces; otherwise compactly.
    ///   - sortedKeys: Whether to sort members by the bytes of their keys; otherwise they keep their order.
    public func serialize(pretty: Bool = false, sortedKeys: Bool = false) -> [UInt8] {
        var printer = Printer(pretty: pretty, sortedKeys: sortedKeys)
        printer.append(self, indentation: 0)
        return printer.bytes
    }

    /// The value as JSON in a string. See `serialize(pretty:sortedKeys:)`.
    public func text(pretty: Bool = false, sortedKeys: Bool = false) -> String {
        String(decoding: serialize(pretty: pretty, sortedKeys: sortedKeys), as: UTF8.self)
    }
}

private struct Printer {
    let pretty: Bool
    let sortedKeys: Bool
    var bytes: [UInt8] = []

    mutating func append(_ value: JSONValue, indentation: Int) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let number): bytes.append(contentsOf: number.text.utf8)
        case .string(let text): JSONEscaping.append(text, to: &bytes)
        case .array(let elements):
            appendList("[", elements, "]", indentation) { printer, element in
                printer.append(element, indentation: indentation + 1)
            }
        case .object(let object):
            appendList("{", sortedKeys ? object.sorted : object.members, "}", indentation) { printer, member in
                JSONEscaping.append(member.key, to: &printer.bytes)
                printer.bytes.append(contentsOf: (printer.pretty ? ": " : ":").utf8)
                printer.append(member.value, indentation: indentation + 1)
            }
        }
    }

    private mutating func appendList<Item>(
        _ opening: String,
        _ items: [Item],
        _ closing: String,
        _ indentation: Int,
        _ appendItem: (inout Printer, Item) -> Void
    ) {
        bytes.append(contentsOf: opening.utf8)
        for (index, item) in items.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            startLine(indentation + 1)
            appendItem(&self, item)
        }
        if !items.isEmpty { startLine(indentation) }
        bytes.append(contentsOf: closing.utf8)
    }

    private mutating func startLine(_ indentation: Int) {
        guard pretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<indentation { bytes.append(contentsOf: "  ".utf8) }
    }
}
