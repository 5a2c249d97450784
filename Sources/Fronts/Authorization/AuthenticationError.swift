/// Why somebody is not known. The texts may be shown to them, and hold nothing of what they sent.
public enum AuthenticationError: Error, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// There is no `authorization` field, and no client certificate that the configuration names.
    case missing
    /// The field is not `Bearer` and a text.
    case noBearer
    /// Neither an API key of the configuration nor a token.
    case unknownKey
    /// A token that cannot be read.
    case malformedToken
    /// `alg` is none of RS256, ES256, EdDSA.
    case unsupportedAlgorithm
    /// No key of the key set has the token's `kid` and `alg`.
    case unknownSigner
    /// The key set has not been read yet. This passes.
    case noKeySet
    /// The signature is not that of the key.
    case wrongSignature
    /// There is no `exp`.
    case neverExpires
    /// `exp` has passed.
    case expired
    /// `nbf` is still to come.
    case notYetValid
    /// `aud` does not name this server.
    case wrongAudience
    /// `iss` is another one.
    case wrongIssuer

    public var description: String {
        switch self {
        case .missing: "the call has no API key, no token and no known client certificate"
        case .noBearer: "the authorization is not 'Bearer' and a key or token"
        case .unknownKey: "the API key is not known"
        case .malformedToken: "the token is not a JSON Web Token"
        case .unsupportedAlgorithm: "the token is signed by an algorithm other than RS256, ES256 and EdDSA"
        case .unknownSigner: "the token is signed by a key that is not in the key set"
        case .noKeySet: "the key set has not been read yet: try again"
        case .wrongSignature: "the token's signature is wrong"
        case .neverExpires: "the token has no 'exp'"
        case .expired: "the token has expired"
        case .notYetValid: "the token is not valid yet"
        case .wrongAudience: "the token is for another audience"
        case .wrongIssuer: "the token is from another issuer"
        }
    }

    /// The reason in a word, for metrics.
    public var label: String {
        switch self {
        case .missing: "missing"
        case .noBearer, .malformedToken: "malformed"
        case .unknownKey: "unknown_key"
        case .unsupportedAlgorithm: "algorithm"
        case .unknownSigner: "unknown_signer"
        case .noKeySet: "no_key_set"
        case .wrongSignature: "signature"
        case .neverExpires, .expired: "expired"
        case .notYetValid: "not_yet_valid"
        case .wrongAudience: "audience"
        case .wrongIssuer: "issuer"
        }
    }
}
