internal import Glibc

/// The server's address, the namespace, and how a client introduces itself.
public struct ClientOptions: Sendable {
    /// Host and port of the server. Several with commas are tried in order, each with all addresses that its name has.
    public var address: String
    /// The namespace of all its workflows.
    public var namespace: String
    /// The client's identity, as histories show it.
    public var identity: String
    /// Encryption; nil for plain text.
    public var tls: TLSOptions?
    /// Sent with each call as `authorization: Bearer KEY`, with the namespace beside it.
    public var apiKey: String?
    /// Header fields of each call. Names are letters, digits, and `. _ -`; values printable ASCII.
    public var headers: [String: String] = [:]
    /// Header fields that are asked for before each call, such as a token that expires; they replace those of
    /// `headers`. When the function throws, the call fails as not authenticated.
    public var callHeaders: (@Sendable () throws -> [String: String])?

    /// Creates options. Defaults come from the environment (`SAGAMORE_ADDRESS`, `SAGAMORE_NAMESPACE`), or are
    /// `127.0.0.1:7233` and `default`. The default identity is the process id and the host name.
    public init(address: String? = nil, namespace: String? = nil, identity: String? = nil) {
        self.address = address ?? ProcessFacts.environment("SAGAMORE_ADDRESS") ?? "127.0.0.1:7233"
        self.namespace = namespace ?? ProcessFacts.environment("SAGAMORE_NAMESPACE") ?? "default"
        self.identity = identity ?? ProcessFacts.identity
    }
}

/// How a client's connection is encrypted. The server always has to prove its name.
public struct TLSOptions: Sendable {
    /// The root certificates that the server's certificate may have, PEM; nil for the system's.
    public var rootCertificates: String?
    /// The client's own certificate and those between it and its root, PEM; for servers that ask for one.
    public var certificateChain: String?
    /// The private key of the client's certificate, PEM.
    public var privateKey: String?
    /// The name in the server's certificate; nil for the host of the address.
    public var serverName: String?

    /// TLS with the system's root certificates, unless others are given.
    public init(
        rootCertificates: String? = nil,
        certificateChain: String? = nil,
        privateKey: String? = nil,
        serverName: String? = nil
    ) {
        self.rootCertificates = rootCertificates
        self.certificateChain = certificateChain
        self.privateKey = privateKey
        self.serverName = serverName
    }
}

/// Facts about this process.
enum ProcessFacts {
    /// An environment variable; nil when it is unset or empty.
    static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// `pid@host`.
    static let identity: String = {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "\(getpid())@unknown" }
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(getpid())@\(host)"
    }()
}
