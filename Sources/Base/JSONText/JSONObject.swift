/// The members of a JSON object, in the order in which they were read or added.
public struct JSONObject: Sendable, ExpressibleByDictionaryLiteral {
    /// A key and its value.
    public struct Member: Sendable {
        /// The key, unescaped.
        public var key: String
        /// The value.
        public var value: JSONValue
    }

    /// The members in their order, each key once.
    public private(set) var members: [Member] = []

    /// An object without members.
    public init() {}

    /// An object with these members. For duplicate keys, the last value counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        for (key, value) in elements { self[key] = value }
    }

    /// The value of a key. Setting `nil` removes the member; a new key is added at the end.
    public subscript(key: String) -> JSONValue? {
        get {
            index(of: key).map { members[$0].value }
        }
        set {
            switch (index(of: key), newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Appends a member with a new key.
    mutating func append(_ key: String, _ value: JSONValue) {
        members.append(Member(key: key, value: value))
    }

    /// The members sorted by the bytes of their keys.
    var sorted: [Member] {
        members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    private func index(of key: String) -> Int? {
        members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
    }
}

extension JSONObject: Equatable {
    /// Whether both have the same members, in any order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.members.count == right.members.count else { return false }
        return zip(left.sorted, right.sorted).allSatisfy { left, right in
            left.key.utf8.elementsEqual(right.key.utf8) && left.value == right.value
        }
    }
}
