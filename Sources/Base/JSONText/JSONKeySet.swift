/// The keys of one object, compared by their bytes: `String` takes different spellings of one letter for equal.
struct JSONKeySet {
    /// Comparing with so many keys costs less than hashing them.
    private static let mostCompared = 16

    private var few: [String] = []
    private var many: Set<Key> = []

    /// - Returns: Whether the key is new.
    mutating func insert(_ key: String) -> Bool {
        guard many.isEmpty else { return many.insert(Key(text: key)).inserted }
        for known in few where Key.areEqual(known, key) { return false }
        few.append(key)
        if few.count > Self.mostCompared { many = Set(few.map { Key(text: $0) }) }
        return true
    }

    private struct Key: Hashable {
        let text: String

        static func == (left: Key, right: Key) -> Bool {
            areEqual(left.text, right.text)
        }

        static func areEqual(_ left: String, _ right: String) -> Bool {
            left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
        }

        func hash(into hasher: inout Hasher) {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}
