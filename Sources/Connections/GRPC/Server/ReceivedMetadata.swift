/// The header fields of a request, in one allocation: calls may wait for long, and most never read their metadata.
struct ReceivedMetadata: Sendable {
    /// Each field: the lengths of name and value, two bytes each, then both.
    private let bytes: [UInt8]

    init() { bytes = [] }

    init(_ fields: borrowing Fields) { bytes = fields.copy() }

    /// The first value of a field, by its lowercase name.
    func value(_ wanted: String) -> ArraySlice<UInt8>? {
        var rest = bytes[...]
        while rest.count >= 4 {
            let start = rest.startIndex
            let name = Int(rest[start]) | Int(rest[start + 1]) << 8
            let value = Int(rest[start + 2]) | Int(rest[start + 3]) << 8
            rest = rest.dropFirst(4)
            if rest.prefix(name).elementsEqual(wanted.utf8) { return rest.dropFirst(name).prefix(value) }
            rest = rest.dropFirst(name + value)
        }
        return nil
    }

    /// Collects the fields of a request, in memory that is reused for the next request.
    struct Fields: ~Copyable {
        private let place: UnsafeMutableRawBufferPointer
        private var count = 0

        /// The largest field: its lengths must fit into two bytes.
        static let largest = Int(UInt16.max)

        /// - Parameter capacity: the largest size of all fields, with 32 bytes for each field as in HTTP/2.
        init(capacity: Int) { place = .allocate(byteCount: capacity, alignment: 4) }

        deinit { place.deallocate() }

        mutating func removeAll() { count = 0 }

        mutating func append(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
            let length = 4 + name.count + value.count
            guard name.count <= Self.largest, value.count <= Self.largest, count + length <= place.count else { return }
            place.storeBytes(of: UInt16(name.count).littleEndian, toByteOffset: count, as: UInt16.self)
            place.storeBytes(of: UInt16(value.count).littleEndian, toByteOffset: count + 2, as: UInt16.self)
            UnsafeMutableRawBufferPointer(rebasing: place[(count + 4)...]).copyMemory(from: name)
            UnsafeMutableRawBufferPointer(rebasing: place[(count + 4 + name.count)...]).copyMemory(from: value)
            count += length
        }

        func copy() -> [UInt8] { Array(place[..<count]) }
    }
}
