/// The pages for probes and for Prometheus.
public struct HTTPSection: ConfigurationSection {
    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The port to listen on.
    public var port = 8233
    /// Whether other machines may read the pages.
    public var openForAll = false

    /// This machine only.
    public init() {}

    /// All keys.
    public static let settings: [Setting<HTTPSection>] = [
        Setting("host", \.host, "The address to listen on, not a name; 0.0.0.0 or '::' for all."),
        Setting("port", \.port, "The port to listen on.", check: Port.check),
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
