internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// JSON values as payloads of the encoding `json/plain`, written straight from the bytes of the text.
enum JSONPayloads {
    static let encoding = "json/plain"

    /// A `Payloads` message with a payload for each value.
    static func payloads(_ values: some BidirectionalCollection<UnsafeRawBufferPointer>) -> RawMessage<Payloads> {
        var writer = ProtobufWriter(capacity: values.reduce(16) { $0 + $1.count + 48 })
        for value in values.reversed() {
            let end = writer.count
            writePayload(value, into: &writer)
            writer.lengthDelimited(1, since: end)
        }
        return RawMessage(uncheckedBytes: writer.bytes())
    }

    /// A message with a single map from strings to payloads, field 1: `Memo`, `SearchAttributes`.
    static func map<Message>(_ entries: [(key: String, value: UnsafeRawBufferPointer)]) -> RawMessage<Message> {
        var writer = ProtobufWriter(capacity: entries.reduce(16) { $0 + $1.value.count + $1.key.utf8.count + 64 })
        for entry in entries.reversed() {
            let end = writer.count
            writePayload(entry.value, into: &writer)
            writer.lengthDelimited(2, since: end)
            writer.string(1, entry.key)
            writer.lengthDelimited(1, since: end)
        }
        return RawMessage(uncheckedBytes: writer.bytes())
    }

    private static func writePayload(_ value: UnsafeRawBufferPointer, into writer: inout ProtobufWriter) {
        writer.lengthDelimited(2, value)
        let end = writer.count
        encoding.utf8.withContiguousStorageIfAvailable { writer.lengthDelimited(2, UnsafeRawBufferPointer($0)) }
        writer.string(1, "encoding")
        writer.lengthDelimited(1, since: end)
    }

    /// The elements of valid JSON that is an array; nil when it is something else.
    static func elements(of array: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer]? {
        guard array.first == UInt8(ascii: "["), array.last == UInt8(ascii: "]") else { return nil }
        var elements: [UnsafeRawBufferPointer] = []
        var start = 1
        var depth = 0
        var isInString = false
        var index = 1
        let end = array.count - 1
        func add(upTo limit: Int) {
            var range = start..<limit
            while let first = range.first, isWhitespace(array[first]) { range = first + 1..<range.upperBound }
            while let last = range.last, isWhitespace(array[last]) { range = range.lowerBound..<last }
            if !range.isEmpty { elements.append(UnsafeRawBufferPointer(rebasing: array[range])) }
        }
        while index < end {
            let byte = array[index]
            if isInString {
                if byte == UInt8(ascii: "\\") { index += 1 } else if byte == UInt8(ascii: "\"") { isInString = false }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                case UInt8(ascii: ",") where depth == 0:
                    add(upTo: index)
                    start = index + 1
                default: break
                }
            }
            index += 1
        }
        add(upTo: end)
        return elements
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}
