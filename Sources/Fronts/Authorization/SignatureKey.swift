internal import CSagamoreCrypto

/// An algorithm that signs tokens. Others are refused: `none` and the symmetric ones above all.
enum SignatureAlgorithm: String, Sendable {
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
}

/// A public key that tokens are signed for.
final class SignatureKey: Sendable {
    let algorithm: SignatureAlgorithm
    // Made in `init`; afterwards the library only reads it, which several threads may do.
    nonisolated(unsafe) private let key: OpaquePointer

    private init?(_ algorithm: SignatureAlgorithm, _ key: OpaquePointer?) {
        defer { ERR_clear_error() }
        guard let key else { return nil }
        (self.algorithm, self.key) = (algorithm, key)
    }

    deinit { EVP_PKEY_free(key) }

    /// An RSA key of at least 2,048 bits. Nil for anything else.
    convenience init?(modulus: [UInt8], exponent: [UInt8]) {
        guard modulus.drop(while: { $0 == 0 }).count >= 256, modulus.count <= 1_024, exponent.count <= 8 else {
            return nil
        }
        self.init(
            .rs256,
            csagamore_crypto_rsa_key(modulus, Int32(modulus.count), exponent, Int32(exponent.count))
        )
    }

    /// A key on the curve P-256, by its coordinates. Nil for anything else.
    convenience init?(x: [UInt8], y: [UInt8]) {
        guard x.count == 32, y.count == 32 else { return nil }
        let point = [4] + x + y
        self.init(.es256, csagamore_crypto_p256_key(point, point.count))
    }

    /// An Ed25519 key. Nil for anything else.
    convenience init?(ed25519 bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.init(.edDSA, EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count))
    }

    /// Whether the signature is that of this key for these bytes.
    func accepts(_ signature: [UInt8], of bytes: some Collection<UInt8>) -> Bool {
        defer { ERR_clear_error() }
        guard let signature = algorithm == .es256 ? Self.encodedPair(signature) : signature,
            let context = EVP_MD_CTX_new()
        else { return false }
        defer { EVP_MD_CTX_free(context) }
        let digest = algorithm == .edDSA ? nil : EVP_sha256()
        guard EVP_DigestVerifyInit(context, nil, digest, nil, key) == 1 else { return false }
        let message = Array(bytes)
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// A token has the two numbers of an ECDSA signature as bytes, and the library wants them in DER.
    private static func encodedPair(_ signature: [UInt8]) -> [UInt8]? {
        guard signature.count == 64, let pair = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(pair) }
        let numbers = [signature[..<32], signature[32...]].map { BN_bin2bn(Array($0), 32, nil) }
        guard ECDSA_SIG_set0(pair, numbers[0], numbers[1]) == 1 else {
            for number in numbers { BN_free(number) }
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: 80)
        let count = bytes.withUnsafeMutableBufferPointer { buffer in
            var place = buffer.baseAddress
            return Int(i2d_ECDSA_SIG(pair, &place))
        }
        return count > 0 ? Array(bytes[..<count]) : nil
    }
}

/// SHA-256.
enum Digest {
    /// 32 bytes.
    static func sha256(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let bytes = Array(bytes)
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        SHA256(bytes, bytes.count, &digest)
        return digest
    }
}
