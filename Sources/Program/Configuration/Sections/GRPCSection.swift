internal import Glibc
public import SagamoreGRPC

/// Where workers, clients and the `temporal` command connect.
public struct GRPCSection: ConfigurationSection {
    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The port to listen on.
    public var port = 7233
    /// The encryption; nil for none.
    public var tls: TLSSection?
    /// What a client may take.
    public var limits = GRPCLimitSection()
    /// Whether others than this machine may connect without encryption.
    public var plainTextForAll = false

    /// This machine only, without encryption.
    public init() {}

    /// All keys.
    public static let settings: [Setting<GRPCSection>] = [
        Setting("host", \.host, "The address to listen on; 0.0.0.0 or '::' for all."),
        Setting("port", \.port, "The port to listen on.", check: Port.check),
        Setting("tls", \.tls, "The encryption. Absent: none, for this machine only."),
        Setting("limits", \.limits, "What clients may take of this port, all together or by a connection."),
        Setting(
            "plainTextForAll",
            \.plainTextForAll,
            """
            Whether other machines may connect without encryption: everybody on the way reads along, and without \
            authorization everybody may do everything.
            """
        ),
    ]

    /// Whoever wants plain text on a network says so twice.
    public func validate() throws {
        guard Loopback.contains(host) || tls != nil || plainTextForAll else {
            throw ConfigurationProblem(
                "'host: \(host)' is reachable by others: give 'tls', or say 'plainTextForAll: true'",
                key: "host"
            )
        }
    }
}

/// What clients may take of the gRPC port.
public struct GRPCLimitSection: ConfigurationSection {
    /// Open connections.
    public var connections = GRPCServerConfiguration().maximumConnections
    /// Open calls of a connection.
    public var callsOfConnection = GRPCServerConfiguration().maximumConcurrentStreams
    /// The largest request in bytes.
    public var messageBytes = GRPCServerConfiguration().maximumMessageBytes
    /// The header fields of a call in bytes.
    public var headerBytes = GRPCServerConfiguration().maximumMetadataBytes
    /// The time within which a request has to arrive.
    public var requestTimeout = ConfigurationDuration(GRPCServerConfiguration().requestTimeout)
    /// After which time a connection without calls ends; nil: never.
    public var idleTimeout: ConfigurationDuration?

    /// The defaults.
    public init() {}

    /// All keys.
    public static let settings: [Setting<GRPCLimitSection>] = [
        Setting("connections", \.connections, "Open connections; a further one is closed at once.", check: positive),
        Setting(
            "callsOfConnection",
            \.callsOfConnection,
            "Open calls of a connection; further ones wait in the client.",
            check: positive
        ),
        Setting("messageBytes", \.messageBytes, "The largest request, also unpacked.", check: positive),
        Setting(
            "headerBytes",
            \.headerBytes,
            "All header fields of a call, each with 32 bytes added.",
            check: positive
        ),
        Setting("requestTimeout", \.requestTimeout, "The time within which a request has to arrive.") {
            $0.duration < .seconds(1) ? "is shorter than 1s" : nil
        },
        Setting("idleTimeout", \.idleTimeout, "After which time a connection without calls ends. Absent: never."),
    ]

    @Sendable private static func positive(_ value: Int) -> String? {
        (1...Int(Int32.max)).contains(value) ? nil : "expects a number from 1 to \(Int32.max), not \(value)"
    }

    func apply(to server: inout GRPCServerConfiguration) {
        server.maximumConnections = connections
        server.maximumConcurrentStreams = callsOfConnection
        server.maximumMessageBytes = messageBytes
        server.maximumMetadataBytes = headerBytes
        server.requestTimeout = requestTimeout.duration
        server.maximumConnectionIdle = idleTimeout?.duration
    }
}

/// The certificate of a listener.
public struct TLSSection: ConfigurationSection {
    /// The certificate with its intermediate ones.
    public var certificate = ConfigurationPath("tls/server.pem")
    /// Its key.
    public var key = ConfigurationPath("tls/server-key.pem")
    /// The roots of clients' certificates; nil: clients need none.
    public var clientRoots: ConfigurationPath?

    /// Files in the folder `tls`.
    public init() {}

    /// All keys.
    public static let settings: [Setting<TLSSection>] = [
        Setting("certificate", \.certificate, "A file with the server's certificate and its intermediate ones (PEM)."),
        Setting("key", \.key, "A file with the key of that certificate (PEM, without a passphrase)."),
        Setting(
            "clientRoots",
            \.clientRoots,
            "A file with the roots of clients' certificates (PEM). With it, clients need one that a root has signed."
        ),
    ]

    /// The files have to fit each other.
    public func validate() throws {
        let tls = try settings()
        do throws(CertificateError) {
            _ = try CertificateReport(tls, now: Int64(time(nil)))
        } catch {
            switch error.part {
            case .certificate: throw ConfigurationProblem("'\(certificate.path)' \(error.reason)", key: "certificate")
            case .key: throw ConfigurationProblem("'\(key.path)' \(error.reason)", key: "key")
            case .clientRoots:
                throw ConfigurationProblem("'\(clientRoots?.path ?? "")' \(error.reason)", key: "clientRoots")
            }
        }
    }

    /// The day on which the certificate expires, if that is within 30 days.
    public var expiringSoon: String? {
        let now = Int64(time(nil))
        guard let tls = try? settings(), let report = try? CertificateReport(tls, now: now),
            report.expiresAt - now < 30 * 86_400
        else { return nil }
        return CertificateReport.day(report.expiresAt)
    }

    /// The contents of the files, as they are now.
    /// - Throws: when one cannot be read any more.
    public func settings() throws -> GRPCServerConfiguration.TLS {
        GRPCServerConfiguration.TLS(
            certificateChain: try certificate.content(),
            privateKey: try key.content(),
            clientRoots: try clientRoots?.content()
        )
    }
}
