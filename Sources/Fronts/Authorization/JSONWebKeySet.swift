internal import SagamoreJSONText

/// The public keys of those who sign tokens (RFC 7517).
public struct JSONWebKeySet: Sendable {
    private struct Key: Sendable {
        let id: String?
        let key: SignatureKey
    }

    private let keys: [Key]

    /// The number of keys that can be used.
    public var count: Int { keys.count }

    /// The size of the largest set, in bytes.
    public static let largest = 1 << 20

    /// Reads a set. Keys for other purposes, and of other kinds than RSA from 2,048 bits, P-256 and Ed25519, are left
    /// out.
    ///
    /// - Throws: ``JSONWebKeySetError``.
    public init(_ text: [UInt8]) throws(JSONWebKeySetError) {
        guard text.count <= Self.largest else { throw JSONWebKeySetError("has more than \(Self.largest) bytes") }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(text)
        } catch {
            throw JSONWebKeySetError("is not JSON: \(error)")
        }
        guard let list = value["keys"]?.array else { throw JSONWebKeySetError("has no list 'keys'") }
        keys = list.compactMap { entry in
            Self.key(entry).map { Key(id: entry["kid"]?.string, key: $0) }
        }
        guard !keys.isEmpty else {
            throw JSONWebKeySetError("has no key for RS256, ES256 or EdDSA among its \(list.count)")
        }
    }

    private static func key(_ entry: JSONValue) -> SignatureKey? {
        guard entry["use"]?.string ?? "sig" == "sig" else { return nil }
        let bytes = { (name: String) in entry[name]?.string.flatMap { Base64URL.decode($0.utf8) } ?? [] }
        let key: SignatureKey? =
            switch (entry["kty"]?.string, entry["crv"]?.string) {
            case ("RSA", _): SignatureKey(modulus: bytes("n"), exponent: bytes("e"))
            case ("EC", "P-256"): SignatureKey(x: bytes("x"), y: bytes("y"))
            case ("OKP", "Ed25519"): SignatureKey(ed25519: bytes("x"))
            default: nil
            }
        // A key that is meant for one algorithm is used for no other.
        guard let key, entry["alg"]?.string ?? key.algorithm.rawValue == key.algorithm.rawValue else { return nil }
        return key
    }

    /// The keys that may have signed a token. One that names its key has that; otherwise each key is tried.
    func keys(for algorithm: SignatureAlgorithm, id: String?) -> [SignatureKey] {
        keys.filter { $0.key.algorithm == algorithm && (id == nil || $0.id == nil || $0.id == id) }.map(\.key)
    }
}

/// Why a key set cannot be used.
public struct JSONWebKeySetError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong with it: a sentence without its beginning.
    public let description: String

    init(_ description: String) { self.description = description }
}
