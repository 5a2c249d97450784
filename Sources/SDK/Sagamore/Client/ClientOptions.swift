/// Whom a client talks to, and as whom.
public struct ClientOptions: Sendable {
    /// Host and port.
    public var address: String
    /// The namespace of all its workflows.
    public var namespace: String
    /// Who it is, as histories show it.
    public var identity: String

    /// Options; what is not given comes from the environment (`SAGAMORE_ADDRESS`, `SAGAMORE_NAMESPACE`), or is
    /// `127.0.0.1:7233` and `default`. The identity is the process's id and the machine's name.
    public init(address: String? = nil, namespace: String? = nil, identity: String? = nil) {
        self.address = address ?? ProcessFacts.environment("SAGAMORE_ADDRESS") ?? "127.0.0.1:7233"
        self.namespace = namespace ?? ProcessFacts.environment("SAGAMORE_NAMESPACE") ?? "default"
        self.identity = identity ?? ProcessFacts.identity
    }
}
