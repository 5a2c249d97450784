/// The addresses and the limits of a channel.
public struct GRPCChannelConfiguration: Sendable {
    /// Encryption. The server is always authenticated.
    public struct TLS: Sendable {
        /// The root certificates for the server's certificate, PEM; nil for the system's.
        public var serverRoots: String?
        /// The client's certificate chain, PEM, when the server requires one.
        public var certificateChain: String?
        /// The private key of the client's certificate, PEM.
        public var privateKey: String?
        /// The expected name in the server's certificate, when it differs from the address.
        public var serverName: String?

        /// TLS with the system's root certificates, or with others.
        public init(serverRoots: String? = nil) { self.serverRoots = serverRoots }
    }

    /// The metadata of one call.
    public typealias Metadata = [(String, String)]

    /// Host and port of each server. They are tried in order, each with all addresses that its name has.
    public var addresses: [String]
    /// Nil for plain text.
    public var tls: TLS?
    /// Metadata of every call, sent before the call's own. Values of names that end in `-bin` are sent as bytes; others
    /// must be printable ASCII.
    public var metadata: Metadata = []
    /// Metadata that is asked for before each call, such as a token that expires. It runs on the caller's thread; the
    /// call fails with the status that it throws.
    public var callMetadata: (@Sendable () throws(GRPCStatus) -> Metadata)?
    /// Whether requests are compressed (gzip), from 1 KiB on. Responses may always be.
    public var compressesRequests = false
    /// The largest response in bytes.
    public var maximumMessageBytes = 128 * 1024 * 1024
    /// With open calls, the channel pings a server that was silent for this long; nil for never.
    public var keepaliveInterval: Duration? = .seconds(30)
    /// The connection is closed when a ping is not answered within this time.
    public var keepaliveTimeout: Duration = .seconds(15)
    /// The time for connecting to one address, with the handshake.
    public var connectTimeout: Duration = .seconds(20)
    /// The first delay after a failed attempt to connect to all addresses; it doubles, less up to half by chance.
    public var initialBackoff: Duration = .milliseconds(200)
    /// The longest delay between attempts to connect.
    public var maximumBackoff: Duration = .seconds(5)
    /// Whether a call waits for a connection up to its deadline, rather than fail with the first failed attempt.
    public var waitsForReady = false

    /// Plain text to `target`: host and port, or several with commas.
    public init(target: String = "127.0.0.1:7233") {
        addresses = target.split(separator: ",").map { String($0.filter { $0 != " " }) }
    }

    /// The addresses as one text.
    var target: String { addresses.joined(separator: ",") }
}
