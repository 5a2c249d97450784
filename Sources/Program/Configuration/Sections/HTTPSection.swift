/// The pages for probes and for Prometheus.
public struct HTTPSection: ConfigurationSection {
    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The port to listen on.
    public var port = 8233
    /// The encryption; nil for none.
    public var tls: WebTLSSection?
    /// Whether other machines may read the pages.
    public var openForAll = false

    /// This machine only.
    public init() {}

    /// All keys.
    public static let settings: [Setting<HTTPSection>] = [
        Setting("host", \.host, "The address to listen on, not a name; 0.0.0.0 or '::' for all."),
        Setting("port", \.port, "The port to listen on.", check: Port.check),
        Setting("tls", \.tls, "The encryption. Absent: none."),
        Setting(
            "openForAll",
            \.openForAll,
            "Whether other machines may read the pages. They hold names of topics and numbers, and no payloads."
        ),
    ]

    /// Whoever wants the pages on a network says so twice.
    public func validate() throws {
        guard Loopback.contains(host) || openForAll else {
            throw ConfigurationProblem(
                "'host: \(host)' is reachable by others: say 'openForAll: true' if they may read metrics",
                key: "host"
            )
        }
    }
}

/// The certificate of the pages.
public struct WebTLSSection: ConfigurationSection {
    /// The certificate with its intermediate ones.
    public var certificate = ConfigurationPath("tls/server.pem")
    /// Its key.
    public var key = ConfigurationPath("tls/server-key.pem")

    /// Files in the folder `tls`.
    public init() {}

    /// All keys.
    public static let settings: [Setting<WebTLSSection>] = [
        Setting("certificate", \.certificate, "A file with the server's certificate and its intermediate ones (PEM)."),
        Setting("key", \.key, "A file with the key of that certificate (PEM, without a passphrase)."),
    ]

    /// The files have to fit each other.
    public func validate() throws { try listener.validate() }

    /// The same as for another listener.
    var listener: TLSSection {
        var section = TLSSection()
        (section.certificate, section.key) = (certificate, key)
        return section
    }
}

/// Addresses that only this machine reaches.
enum Loopback {
    static func contains(_ host: String) -> Bool {
        host == "localhost" || host == "::1"
            || (host.hasPrefix("127.") && host.allSatisfy { $0 == "." || $0.isASCII && $0.isNumber })
    }

    /// Whether an address of plain HTTP leads to this machine.
    static func contains(address: String) -> Bool {
        guard address.hasPrefix("http://") else { return false }
        let authority = address.dropFirst(7).prefix { $0 != "/" && $0 != "?" }
        if authority.hasPrefix("[") { return authority.hasPrefix("[::1]") && !authority.contains("@") }
        return !authority.contains("@") && contains(String(authority.prefix { $0 != ":" }))
    }
}
