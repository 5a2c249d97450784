/// The form of the IANA database's files (RFC 9636): one zone in each.
extension TimeZoneRules {
    /// Reads the bytes of a file. Returns nil if they are not of version 2 or later, or not valid.
    public init?(file bytes: [UInt8]) {
        var file = Reader(bytes: bytes)
        // The first block is for programs that know nothing of 64 bits.
        guard let first = file.header(), first.version >= UInt8(ascii: "2"),
            file.skip(first.size(ofTime: 4)), let header = file.header(), header.types > 0,
            let changes = file.numbers(header.changes, bytes: 8), let indexes = file.take(header.changes)
        else { return nil }
        var types: [Int32] = []
        for _ in 0..<header.types {
            guard let offset = file.number(bytes: 4), file.skip(2) else { return nil }
            types.append(Int32(truncatingIfNeeded: offset))
        }
        guard indexes.allSatisfy({ $0 < header.types }), file.skip(header.sizeBehindTypes(ofTime: 8)),
            let rule = file.line(), zip(changes, changes.dropFirst()).allSatisfy({ $0 < $1 })
        else { return nil }
        var tail: YearlyRule?
        if !rule.isEmpty {
            guard let parsed = YearlyRule(rule) else { return nil }
            tail = parsed
        }
        self.init(changes: changes, offsets: [types[0]] + indexes.map { types[Int($0)] }, tail: tail)
    }

    private struct Header {
        let version: UInt8
        let isUniversal: Int
        let isStandard: Int
        let leaps: Int
        let changes: Int
        let types: Int
        let characters: Int

        /// The size of the block behind the header.
        func size(ofTime time: Int) -> Int { changes * (time + 1) + types * 6 + sizeBehindTypes(ofTime: time) }

        func sizeBehindTypes(ofTime time: Int) -> Int {
            characters + leaps * (time + 4) + isStandard + isUniversal
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, count <= bytes.count - position else { return nil }
            defer { position += count }
            return bytes[position..<position + count]
        }

        mutating func skip(_ count: Int) -> Bool { take(count) != nil }

        mutating func number(bytes count: Int) -> Int64? {
            guard let taken = take(count) else { return nil }
            var value: UInt64 = taken.first.map { $0 & 0x80 != 0 } ?? false ? .max : 0
            for byte in taken { value = value << 8 | UInt64(byte) }
            return Int64(bitPattern: value)
        }

        mutating func numbers(_ count: Int, bytes size: Int) -> [Int64]? {
            guard count <= (bytes.count - position) / size else { return nil }
            var numbers: [Int64] = []
            for _ in 0..<count {
                guard let number = number(bytes: size) else { return nil }
                numbers.append(number)
            }
            return numbers
        }

        mutating func header() -> Header? {
            guard let magic = take(4), magic.elementsEqual("TZif".utf8), let version = take(1)?.first, skip(15),
                let counts = numbers(6, bytes: 4), counts.allSatisfy({ (0...1 << 20).contains($0) })
            else { return nil }
            return Header(
                version: version,
                isUniversal: Int(counts[0]),
                isStandard: Int(counts[1]),
                leaps: Int(counts[2]),
                changes: Int(counts[3]),
                types: Int(counts[4]),
                characters: Int(counts[5])
            )
        }

        /// The text between two line feeds.
        mutating func line() -> String? {
            guard take(1)?.first == UInt8(ascii: "\n"), let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n"))
            else { return nil }
            return String(validating: bytes[position..<end], as: UTF8.self)
        }
    }
}
