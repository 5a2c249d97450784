/// A listener of a test node that is not for everybody.
public struct KafkaSecurity: Sendable {
    /// How clients show who they are.
    public enum Identity: Sendable {
        /// By a password that they don't send (SASL with SCRAM-SHA-512).
        case scram(user: String, password: String)
        /// By a password that they send (SASL with PLAIN).
        case password(user: String, password: String)
        /// By a certificate that the root has signed.
        case certificate
    }

    /// How clients show who they are.
    public var identity: Identity
    /// A file with the node's key and certificate, PEM.
    public var keyAndCertificate: String
    /// A file with the root of clients' certificates, PEM.
    public var root: String

    /// A listener with TLS.
    public init(_ identity: Identity, keyAndCertificate: String, root: String) {
        self.identity = identity
        self.keyAndCertificate = keyAndCertificate
        self.root = root
    }

    var settings: [String: String] {
        let listener = "listener.name.secure."
        var settings = [
            listener + "ssl.keystore.type": "PEM", listener + "ssl.keystore.location": keyAndCertificate,
            listener + "ssl.truststore.type": "PEM", listener + "ssl.truststore.location": root,
        ]
        switch identity {
        case .scram:
            settings[listener + "sasl.enabled.mechanisms"] = "SCRAM-SHA-512"
            settings[listener + "scram-sha-512.sasl.jaas.config"] =
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        case .password(let user, let password):
            settings[listener + "sasl.enabled.mechanisms"] = "PLAIN"
            settings[listener + "plain.sasl.jaas.config"] =
                "org.apache.kafka.common.security.plain.PlainLoginModule required user_\(user)=\"\(password)\";"
        case .certificate: settings[listener + "ssl.client.auth"] = "required"
        }
        return settings
    }

    var securityProtocol: String { if case .certificate = identity { "SSL" } else { "SASL_SSL" } }

    /// What the tool that formats a node is told beside.
    var formatArguments: [String] {
        guard case .scram(let user, let password) = identity else { return [] }
        return ["--add-scram", "SCRAM-SHA-512=[name=\(user),password=\(password)]"]
    }
}
