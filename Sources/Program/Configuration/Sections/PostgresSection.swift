/// The database.
public struct PostgresSection: ConfigurationSection {
    /// A connection string of libpq, instead of the parts.
    public var url = Secret("")
    /// The host name or address, or the folder of a socket.
    public var host = "localhost"
    /// The port.
    public var port = 5432
    /// The name of the database.
    public var database = "sagamore"
    /// The user.
    public var user = "sagamore"
    /// The user's password.
    public var password = Secret("")
    /// The encryption.
    public var tls = PostgresTLSSection()

    /// A database and a user `sagamore` on this machine.
    public init() {}

    /// All keys.
    public static let settings: [Setting<PostgresSection>] = [
        Setting(
            "url",
            \.url,
            """
            A connection string of libpq: postgresql://USER@HOST:PORT/DATABASE?sslmode=verify-full, or file:PATH. It \
            replaces all other keys of this section.
            """
        ),
        Setting("host", \.host, "The host name or address; several with commas. A path is the folder of a socket."),
        Setting("port", \.port, "The port.", check: Port.check),
        Setting("database", \.database, "The name of the database.") { $0.isEmpty ? "is empty" : nil },
        Setting("user", \.user, "The user. 'sagamore migrate' needs one that may create tables."),
        Setting("password", \.password, "The user's password: ${VARIABLE} or file:PATH."),
        Setting("tls", \.tls, "The encryption of the connections."),
    ]

    /// A URL excludes the parts.
    public func validate() throws {
        guard !url.value.isEmpty else { return }
        var parts = self
        parts.url = Secret("")
        guard parts == PostgresSection() else {
            throw ConfigurationProblem(
                "'url' excludes the other keys of 'postgres': write everything into it",
                key: "url"
            )
        }
    }

    /// The connection string.
    public var connectionString: String {
        guard url.value.isEmpty else { return url.value }
        var words = [("host", host), ("port", String(port)), ("dbname", database), ("user", user)]
        words += [("password", password.value), ("sslmode", tls.mode.rawValue)]
        words += [("sslrootcert", tls.rootCertificates), ("sslcert", tls.certificate), ("sslkey", tls.key)].map {
            ($0, $1?.path ?? "")
        }
        return words.filter { !$0.1.isEmpty }.map { "\($0.0)='\(Self.escaped($0.1))'" }.joined(separator: " ")
    }

    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for character in value {
            if character == "'" || character == "\\" { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}

/// The encryption of the connections to the database.
public struct PostgresTLSSection: ConfigurationSection {
    /// libpq's modes.
    public enum Mode: String, ConfigurationChoice {
        /// No encryption; encryption if the server offers it; encryption.
        case disable, prefer, require
        /// Encryption, with a certificate that a root has signed; one that names the host, too.
        case verifyCA = "verify-ca"
        /// A certificate that names the host.
        case verifyFull = "verify-full"
    }

    /// What is required.
    public var mode = Mode.prefer
    /// The roots of the server's certificate.
    public var rootCertificates: ConfigurationPath?
    /// The certificate of this client.
    public var certificate: ConfigurationPath?
    /// The key of the certificate.
    public var key: ConfigurationPath?

    /// Encryption if the server offers it.
    public init() {}

    /// All keys.
    public static let settings: [Setting<PostgresTLSSection>] = [
        Setting(
            "mode",
            \.mode,
            "As libpq's sslmode: disable, prefer, require, verify-ca or verify-full. Only the last two know the server."
        ),
        Setting("rootCertificates", \.rootCertificates, "A file with the roots of the server's certificate (PEM)."),
        Setting("certificate", \.certificate, "A file with the certificate of this client (PEM)."),
        Setting("key", \.key, "A file with the key of that certificate (PEM). Only its owner may read it."),
    ]

    /// Modes that verify need roots, and a certificate a key.
    public func validate() throws {
        if mode == .verifyCA || mode == .verifyFull, rootCertificates == nil {
            throw ConfigurationProblem("'mode: \(mode.rawValue)' needs 'rootCertificates'", key: "mode")
        }
        guard (certificate == nil) == (key == nil) else {
            throw ConfigurationProblem("'certificate' and 'key' belong together; one is missing")
        }
    }
}

/// Ports.
enum Port {
    @Sendable static func check(_ port: Int) -> String? {
        (1...65_535).contains(port) ? nil : "expects a port from 1 to 65535, not \(port)"
    }
}
