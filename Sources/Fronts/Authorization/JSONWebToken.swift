internal import SagamoreJSONText

/// What tokens have to say of themselves.
public struct TokenRules: Sendable, Hashable {
    /// The audience that `aud` has to name; nil: any.
    public var audience: String?
    /// The issuer that `iss` has to be; nil: any.
    public var issuer: String?
    /// The claim with the list of permissions.
    public var permissionsClaim = "permissions"

    /// Tokens for anybody, with `permissions`.
    public init() {}

    /// How far the clocks of issuer and server may be apart, in seconds.
    static let leeway: Int64 = 10
}

/// A signed token (RFC 7519): three parts, of which the first two are JSON.
struct JSONWebToken {
    let algorithm: SignatureAlgorithm
    let keyID: String?
    let claims: JSONValue
    private let signed: ArraySlice<UInt8>
    private let signature: [UInt8]

    /// The size of the largest token, in bytes.
    static let largest = 16 << 10

    /// Whether a text may be a token: three parts.
    static func isLikely(_ text: ArraySlice<UInt8>) -> Bool { text.count { $0 == UInt8(ascii: ".") } == 2 }

    /// Reads a token, without a look at its signature.
    init(_ text: ArraySlice<UInt8>) throws(AuthenticationError) {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.count <= Self.largest, parts.count == 3, let header = Self.json(parts[0]),
            let name = header["alg"]?.string
        else { throw .malformedToken }
        guard let algorithm = SignatureAlgorithm(rawValue: name) else { throw .unsupportedAlgorithm }
        // A critical extension is one that must be understood, and none is.
        guard header["crit"] == nil, let claims = Self.json(parts[1]), claims.object != nil,
            let signature = Base64URL.decode(parts[2])
        else { throw .malformedToken }
        self.algorithm = algorithm
        self.keyID = header["kid"]?.string
        self.claims = claims
        self.signature = signature
        signed = text[..<parts[1].endIndex]
    }

    private static func json(_ part: ArraySlice<UInt8>) -> JSONValue? {
        guard let bytes = Base64URL.decode(part) else { return nil }
        return try? JSONValue.parse(bytes, depthLimit: 16)
    }

    /// Who has the token, and until when they may use it, in seconds since 1970.
    ///
    /// - Parameter now: in seconds since 1970.
    func caller(
        _ keys: JSONWebKeySet,
        _ rules: TokenRules,
        now: Int64
    ) throws(AuthenticationError) -> (Caller, expiresAt: Int64) {
        let candidates = keys.keys(for: algorithm, id: keyID)
        guard !candidates.isEmpty else { throw .unknownSigner }
        guard candidates.contains(where: { $0.accepts(signature, of: signed) }) else { throw .wrongSignature }
        guard let expiry = seconds("exp") else { throw claims["exp"] == nil ? .neverExpires : .malformedToken }
        guard now < expiry + TokenRules.leeway else { throw .expired }
        if claims["nbf"] != nil {
            guard let begin = seconds("nbf") else { throw .malformedToken }
            guard now >= begin - TokenRules.leeway else { throw .notYetValid }
        }
        if let audience = rules.audience, !list("aud").contains(audience) { throw .wrongAudience }
        if let issuer = rules.issuer, claims["iss"]?.string != issuer { throw .wrongIssuer }
        let permissions = Permissions(list(rules.permissionsClaim))
        let name = claims["sub"]?.string ?? "token"
        return (Caller(name: String(name.prefix(200)), permissions: permissions), expiry + TokenRules.leeway)
    }

    /// A point in time, which may have a fraction.
    private func seconds(_ name: String) -> Int64? {
        guard let value = claims[name]?.double, (0..<1e11).contains(value) else { return nil }
        return Int64(value)
    }

    /// A claim that is a text or a list of texts.
    private func list(_ name: String) -> [String] {
        if let text = claims[name]?.string { return [text] }
        return (claims[name]?.array ?? []).compactMap(\.string)
    }
}
