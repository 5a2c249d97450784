internal import SagamoreServices

/// Smaller forms of a dead letter that is too large for its topic. The coordinates of the source record stay whole.
enum OversizeLetter {
    /// The header with the original size of a shortened value, in bytes.
    static let valueHeader = "shortened.value_bytes"
    /// The header with the original size of a shortened key, in bytes.
    static let keyHeader = "shortened.key_bytes"
    /// The header with the number of the record's own headers that were left out.
    static let headersHeader = "shortened.headers"

    /// The minimum size of a value that is shortened in steps.
    private static let shortValue = 1_024
    /// The length of key and value in the smallest form, in bytes.
    private static let smallestLength = 200

    /// The next smaller form; nil when there is none, or the record is not a dead letter.
    static func smaller(_ letter: OutboxRecord) -> OutboxRecord? {
        guard let own = letter.headers.lastIndex(where: { $0.name == "error.code" }),
            letter.headers[own...].contains(where: { $0.name == "source.offset" })
        else { return nil }
        let value = letter.value ?? []
        let overhead = letter.headers.reduce(letter.key?.count ?? 0) { size, header in
            size + header.name.utf8.count + (header.value?.count ?? 0) + 10
        }
        let room = StatusEventJSON.defaultSizeLimit - overhead
        if value.count >= shortValue, room >= shortValue {
            return shortened(letter, valueTo: value.count > room ? room : value.count / 8)
        }
        return smallest(letter, ownHeaders: own)
    }

    private static func shortened(_ letter: OutboxRecord, valueTo limit: Int) -> OutboxRecord {
        OutboxRecord(
            topic: letter.topic,
            key: letter.key,
            value: letter.value.map { prefix(of: $0, limit) },
            headers: letter.headers + note(valueHeader, letter.value?.count, in: letter.headers)
        )
    }

    /// The letter without the record's own headers, and with key and value shortened; nil when nothing is left to
    /// remove.
    private static func smallest(_ letter: OutboxRecord, ownHeaders own: Int) -> OutboxRecord? {
        let (key, value) = (letter.key?.count ?? 0, letter.value?.count ?? 0)
        guard own > 0 || key > smallestLength || value > smallestLength else { return nil }
        var headers = Array(letter.headers[own...])
        if value > smallestLength { headers += note(valueHeader, value, in: headers) }
        if key > smallestLength { headers += note(keyHeader, key, in: headers) }
        if own > 0 { headers += note(headersHeader, own, in: headers) }
        return OutboxRecord(
            topic: letter.topic,
            key: letter.key.map { prefix(of: $0, smallestLength) },
            value: letter.value.map { prefix(of: $0, smallestLength) },
            headers: headers
        )
    }

    /// A header with the original number; none if an earlier step has added it.
    private static func note(_ name: String, _ count: Int?, in headers: [OutboxRecord.Header]) -> [OutboxRecord.Header]
    {
        guard let count, !headers.contains(where: { $0.name == name }) else { return [] }
        return [OutboxRecord.Header(name: name, value: Array(String(count).utf8))]
    }

    /// The first `limit` bytes at most, not ending within a UTF-8 character.
    private static func prefix(of bytes: [UInt8], _ limit: Int) -> [UInt8] {
        guard bytes.count > limit else { return bytes }
        var end = limit
        while end > limit - 4, end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return Array(bytes[..<end])
    }
}
