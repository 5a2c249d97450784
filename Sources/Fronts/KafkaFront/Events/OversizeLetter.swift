internal import SagamoreServices

/// A dead letter that its topic finds too large, in smaller forms. What says where the record lies stays whole.
enum OversizeLetter {
    /// Says how many bytes the value had, in a letter that holds only their beginning.
    static let valueHeader = "shortened.value_bytes"
    /// Says how many bytes the key had, in a letter that holds only their beginning.
    static let keyHeader = "shortened.key_bytes"
    /// Says how many of the record's own headers are missing.
    static let headersHeader = "shortened.headers"

    /// From this size on a value is shortened step by step.
    private static let shortValue = 1_024
    /// What the smallest form keeps of key and value.
    private static let beginning = 200

    /// The next smaller form; nil when there is none, or when the record is no dead letter.
    static func smaller(_ letter: OutboxRecord) -> OutboxRecord? {
        guard let own = letter.headers.lastIndex(where: { $0.name == "error.code" }),
            letter.headers[own...].contains(where: { $0.name == "source.offset" })
        else { return nil }
        let value = letter.value ?? []
        let around = letter.headers.reduce(letter.key?.count ?? 0) { size, header in
            size + header.name.utf8.count + (header.value?.count ?? 0) + 10
        }
        let room = StatusEventJSON.defaultSizeLimit - around
        if value.count >= shortValue, room >= shortValue {
            return shortened(letter, valueTo: value.count > room ? room : value.count / 8)
        }
        return smallest(letter, ownHeaders: own)
    }

    private static func shortened(_ letter: OutboxRecord, valueTo limit: Int) -> OutboxRecord {
        OutboxRecord(
            topic: letter.topic,
            key: letter.key,
            value: letter.value.map { start(of: $0, limit) },
            headers: letter.headers + note(valueHeader, letter.value?.count, in: letter.headers)
        )
    }

    /// Without the record's own headers, and with the beginnings of key and value; nil when nothing is left to leave
    /// out.
    private static func smallest(_ letter: OutboxRecord, ownHeaders own: Int) -> OutboxRecord? {
        let (key, value) = (letter.key?.count ?? 0, letter.value?.count ?? 0)
        guard own > 0 || key > beginning || value > beginning else { return nil }
        var headers = Array(letter.headers[own...])
        if value > beginning { headers += note(valueHeader, value, in: headers) }
        if key > beginning { headers += note(keyHeader, key, in: headers) }
        if own > 0 { headers += note(headersHeader, own, in: headers) }
        return OutboxRecord(
            topic: letter.topic,
            key: letter.key.map { start(of: $0, beginning) },
            value: letter.value.map { start(of: $0, beginning) },
            headers: headers
        )
    }

    /// A header with the original number; none where an earlier step has noted it.
    private static func note(_ name: String, _ count: Int?, in headers: [OutboxRecord.Header]) -> [OutboxRecord.Header]
    {
        guard let count, !headers.contains(where: { $0.name == name }) else { return [] }
        return [OutboxRecord.Header(name: name, value: Array(String(count).utf8))]
    }

    /// At most `limit` bytes, not ending within a character of UTF-8.
    private static func start(of bytes: [UInt8], _ limit: Int) -> [UInt8] {
        guard bytes.count > limit else { return bytes }
        var end = limit
        while end > limit - 4, end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return Array(bytes[..<end])
    }
}
