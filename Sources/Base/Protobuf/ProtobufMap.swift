/// A map field with string keys, which are equal only when their bytes are.
///
/// A dictionary with `String` keys would merge keys that are merely canonically equivalent (``ExactText``), and lose an
/// entry on the way from one client to another.
public struct ProtobufMap<Value: Equatable & Sendable>: Equatable, Sendable {
    @usableFromInline
    var entries: [ExactText: Value]

    /// Makes an empty map.
    @inlinable
    public init() { self.entries = [:] }

    /// Makes a map with the entries of a dictionary.
    @inlinable
    public init(_ dictionary: [String: Value]) {
        self.entries = Dictionary(uniqueKeysWithValues: dictionary.map { (ExactText($0), $1) })
    }

    @usableFromInline
    init(entries: [ExactText: Value]) { self.entries = entries }

    /// The value of a key; nil when the map has no such key.
    @inlinable
    public subscript(key: String) -> Value? {
        get { self.entries[ExactText(key)] }
        set { self.entries[ExactText(key)] = newValue }
    }

    /// The keys, in no particular order.
    @inlinable
    public var keys: [String] { self.entries.keys.map(\.text) }

    /// The values, in no particular order.
    @inlinable
    public var values: Dictionary<ExactText, Value>.Values { self.entries.values }

    /// How many entries the map has.
    @inlinable
    public var count: Int { self.entries.count }

    /// Whether the map has no entries.
    @inlinable
    public var isEmpty: Bool { self.entries.isEmpty }

    /// The map with each value transformed.
    @inlinable
    public func mapValues<Result: Equatable & Sendable>(_ transform: (Value) -> Result) -> ProtobufMap<Result> {
        ProtobufMap<Result>(entries: self.entries.mapValues(transform))
    }

    /// The entries whose value satisfies the predicate.
    @inlinable
    public func filter(_ isIncluded: (Value) -> Bool) -> ProtobufMap {
        ProtobufMap(entries: self.entries.filter { isIncluded($0.value) })
    }

    /// The entries of both maps; those of `other` win.
    @inlinable
    public func merging(_ other: ProtobufMap) -> ProtobufMap {
        ProtobufMap(entries: self.entries.merging(other.entries) { _, new in new })
    }

    /// The entries by descending key, in the order of bytes: a ``ProtobufWriter`` writes the last one first.
    @inlinable
    public func descending() -> [(key: ExactText, value: Value)] { self.entries.sorted { $0.key > $1.key } }
}

extension ProtobufMap: Sequence {
    /// Visits all entries, in no particular order.
    public struct Iterator: IteratorProtocol {
        @usableFromInline
        var entries: Dictionary<ExactText, Value>.Iterator

        @usableFromInline
        init(_ entries: Dictionary<ExactText, Value>.Iterator) { self.entries = entries }

        /// The next entry; nil after the last.
        @inlinable
        public mutating func next() -> (key: String, value: Value)? {
            self.entries.next().map { ($0.key.text, $0.value) }
        }
    }

    /// An iterator over the entries.
    @inlinable
    public func makeIterator() -> Iterator { Iterator(self.entries.makeIterator()) }
}

extension ProtobufMap: ExpressibleByDictionaryLiteral {
    /// Makes a map with the entries of a literal, whose keys must differ.
    @inlinable
    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init(entries: Dictionary(uniqueKeysWithValues: elements.map { (ExactText($0), $1) }))
    }
}
