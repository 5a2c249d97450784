internal import CSagamoreTLS
internal import Glibc

/// Why a listener cannot use its certificate.
public struct CertificateError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is at fault.
    public enum Part: Sendable, Hashable {
        /// The certificate and its intermediate ones, the private key, the roots of clients' certificates.
        case certificate, key, clientRoots
    }

    /// What is at fault.
    public let part: Part
    /// What is wrong with it: a sentence without its beginning.
    public let reason: String

    /// What is at fault, and why.
    public var description: String { "the \(part) \(reason)" }
}

/// What a listener's certificate says of itself.
public struct CertificateReport: Sendable, Hashable {
    /// When the first certificate of the chain expires, in seconds since 1970.
    public let expiresAt: Int64

    /// Reads a certificate, and looks whether its key and the roots can be used with it.
    /// - Parameter now: the time, in seconds since 1970.
    /// - Throws: `CertificateError`, also for a certificate that is not valid yet or any more.
    public init(_ tls: GRPCServerConfiguration.TLS, now: Int64) throws(CertificateError) {
        defer { ERR_clear_error() }
        let chain = TLSContext.certificates(tls.certificateChain)
        defer { for certificate in chain { X509_free(certificate) } }
        guard let own = chain.first else {
            throw CertificateError(part: .certificate, reason: "holds no certificate in PEM form")
        }
        guard let key = TLSContext.privateKey(tls.privateKey) else {
            throw CertificateError(part: .key, reason: "holds no private key in PEM form, or one with a passphrase")
        }
        defer { EVP_PKEY_free(key) }
        guard X509_check_private_key(own, key) == 1 else {
            throw CertificateError(part: .key, reason: "is not the key of the certificate")
        }
        if let roots = tls.clientRoots {
            let certificates = TLSContext.certificates(roots)
            defer { for certificate in certificates { X509_free(certificate) } }
            guard !certificates.isEmpty else {
                throw CertificateError(part: .clientRoots, reason: "holds no certificate in PEM form")
            }
        }
        let begin = chain.compactMap { Self.seconds(X509_get0_notBefore($0)) }.max() ?? .min
        let end = chain.compactMap { Self.seconds(X509_get0_notAfter($0)) }.min() ?? .max
        guard begin <= now else {
            throw CertificateError(part: .certificate, reason: "is valid only from \(Self.day(begin)) on")
        }
        guard end > now else {
            throw CertificateError(part: .certificate, reason: "has expired on \(Self.day(end)): renew it")
        }
        expiresAt = end
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }

    /// The day of a time, such as `2031-04-30`.
    public static func day(_ seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        let digits = [Int(parts.tm_mon) + 1, Int(parts.tm_mday)].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(parts.tm_year + 1_900)-\(digits[0])-\(digits[1])"
    }
}
