internal import SagamoreThreads
internal import Synchronization

/// Whom to believe.
public struct AuthenticationRules: Sendable {
    /// An API key.
    public struct Key: Sendable {
        /// Its name, for logs.
        public var name: String
        /// Its text, which nobody else may know.
        public var key: String
        /// What its holders may do.
        public var permissions: Permissions

        /// A key.
        public init(name: String, key: String, permissions: Permissions) {
            self.name = name
            self.key = key
            self.permissions = permissions
        }
    }

    /// API keys.
    public var keys: [Key] = []
    /// What tokens have to say of themselves; nil: there are no tokens.
    public var tokens: TokenRules?
    /// What holders of client certificates may do, by the certificate's subject (RFC 2253: `CN=worker,O=Acme`).
    public var certificates: [String: Permissions] = [:]

    /// Nobody.
    public init() {}
}

/// Finds out who calls. From any thread.
public final class Authenticator: Sendable {
    private struct State {
        /// Nil: there are no tokens.
        var tokens: TokenRules?
        /// By the SHA-256 of the key: how long a comparison takes tells nothing of the keys.
        var keys: [[UInt8]: Caller] = [:]
        var certificates: [String: Caller] = [:]
        var keySet: JSONWebKeySet?
        var known = KnownCredentials()
        /// Grows with each change. What was judged by older rules is not remembered.
        var version = 0
    }

    private let state: Locked<State>
    private let clock: @Sendable () -> Int64
    private let unknownSigners = Atomic(0)

    /// - Parameter clock: seconds since 1970.
    public init(_ rules: AuthenticationRules, clock: @escaping @Sendable () -> Int64) {
        self.clock = clock
        state = Locked(Self.state(rules))
    }

    private static func state(_ rules: AuthenticationRules) -> State {
        var state = State(tokens: rules.tokens)
        for key in rules.keys {
            state.keys[Digest.sha256(key.key.utf8)] = Caller(name: key.name, permissions: key.permissions)
        }
        for (subject, permissions) in rules.certificates {
            state.certificates[subject] = Caller(name: subject, permissions: permissions)
        }
        return state
    }

    /// Takes other rules. The key set stays.
    public func replace(_ rules: AuthenticationRules) {
        state.withLock { state in
            let (keySet, version) = (state.keySet, state.version)
            state = Self.state(rules)
            state.keySet = keySet
            state.version = version + 1
        }
    }

    /// Takes other keys of those who sign tokens. Tokens are judged anew.
    public func replace(_ keySet: JSONWebKeySet) {
        state.withLock { state in
            state.keySet = keySet
            state.known = KnownCredentials()
            state.version += 1
        }
    }

    /// How many tokens named a key that is not in the key set: a reason to read it again.
    public var unknownSignerCount: Int { unknownSigners.load(ordering: .relaxed) }

    /// Who calls. A call with an `authorization` field is judged by that alone.
    ///
    /// - Parameters:
    ///   - authorization: the value of the field, `Bearer` and a key or a token.
    ///   - certificate: the subject of the client's certificate, which the connection has verified.
    public func caller(
        authorization: ArraySlice<UInt8>?,
        certificate: @autoclosure () -> String?
    ) throws(AuthenticationError) -> Caller {
        guard let authorization else {
            guard let subject = certificate() else { throw .missing }
            guard let caller = state.withLock({ $0.certificates[subject] }) else { throw .missing }
            return caller
        }
        let now = clock()
        // Most calls come with what the one before had.
        if let known = state.withLock({ $0.known.find(authorization, now: now) }) { return known }
        let version = state.withLock { $0.version }
        let (caller, expiresAt) = try judge(authorization, now)
        state.withLock { state in
            guard state.version == version else { return }
            state.known.add(authorization, caller, expiresAt: expiresAt, now: now)
        }
        return caller
    }

    private func judge(
        _ authorization: ArraySlice<UInt8>,
        _ now: Int64
    ) throws(AuthenticationError) -> (Caller, expiresAt: Int64) {
        let scheme = "bearer "
        guard authorization.count > scheme.utf8.count,
            authorization.prefix(scheme.utf8.count).elementsEqual(scheme.utf8, by: { $0 | 0x20 == $1 })
        else { throw .noBearer }
        let text = authorization.dropFirst(scheme.utf8.count)
        let digest = Digest.sha256(text)
        let (key, rules, keySet) = state.withLock { ($0.keys[digest], $0.tokens, $0.keySet) }
        if let key { return (key, .max) }
        guard let rules, JSONWebToken.isLikely(text) else { throw .unknownKey }
        let token = try JSONWebToken(text)
        guard let keySet else { throw .noKeySet }
        do throws(AuthenticationError) {
            return try token.caller(keySet, rules, now: now)
        } catch {
            if error == .unknownSigner { unknownSigners.add(1, ordering: .relaxed) }
            throw error
        }
    }
}

/// Credentials that were judged before, so that a signature is verified once and not with every call.
struct KnownCredentials {
    private struct Key: Hashable {
        let bytes: ArraySlice<UInt8>

        func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
    }

    private var entries: [Key: (caller: Caller, expiresAt: Int64)] = [:]

    /// The most entries. At 1 kB each they are 10 MB.
    static let most = 10_000

    func find(_ authorization: ArraySlice<UInt8>, now: Int64) -> Caller? {
        guard let entry = entries[Key(bytes: authorization)], now < entry.expiresAt else { return nil }
        return entry.caller
    }

    mutating func add(_ authorization: ArraySlice<UInt8>, _ caller: Caller, expiresAt: Int64, now: Int64) {
        if entries.count >= Self.most {
            entries = entries.filter { now < $0.value.expiresAt }
            if entries.count >= Self.most { entries.removeAll() }
        }
        // A copy: the slice would keep all fields of the call.
        entries[Key(bytes: ArraySlice(Array(authorization)))] = (caller, expiresAt)
    }
}
