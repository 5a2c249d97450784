internal import Glibc

/// The server address, the namespace, and the identity of a client.
public struct ClientOptions: Sendable {
    /// Host and port.
    public var address: String
    /// The namespace of all its workflows.
    public var namespace: String
    /// The client's identity, as histories show it.
    public var identity: String

    /// Creates options. Defaults come from the environment (`SAGAMORE_ADDRESS`, `SAGAMORE_NAMESPACE`), or are
    /// `127.0.0.1:7233` and `default`. The default identity is the process id and the host name.
    public init(address: String? = nil, namespace: String? = nil, identity: String? = nil) {
        self.address = address ?? ProcessFacts.environment("SAGAMORE_ADDRESS") ?? "127.0.0.1:7233"
        self.namespace = namespace ?? ProcessFacts.environment("SAGAMORE_NAMESPACE") ?? "default"
        self.identity = identity ?? ProcessFacts.identity
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
