public import SagamoreAuthorization
public import SagamoreServer

/// Who may call, and what.
public struct AuthorizationSection: ConfigurationSection {
    /// API keys.
    public var apiKeys: [APIKeySection] = []
    /// Tokens; nil for none.
    public var jwt: TokenSection?
    /// Client certificates.
    public var certificates: [CertificateSection] = []

    /// Nobody.
    public init() {}

    /// All keys.
    public static let settings: [Setting<AuthorizationSection>] = [
        Setting("apiKeys", \.apiKeys, "Keys that clients send as 'authorization: Bearer KEY'."),
        Setting("jwt", \.jwt, "JSON Web Tokens that clients send as 'authorization: Bearer TOKEN'. Absent: none."),
        Setting(
            "certificates",
            \.certificates,
            """
            Subjects of client certificates; 'grpc.tls.clientRoots' says who signs them. A call with a key or token \
            counts as that.
            """
        ),
    ]

    /// Somebody has to get in, and each of them has one meaning.
    public func validate() throws {
        if apiKeys.isEmpty, jwt == nil, certificates.isEmpty {
            throw ConfigurationProblem("'authorization' lets nobody in: give 'apiKeys', 'jwt' or 'certificates'")
        }
        var known: (names: Set<String>, keys: Set<String>, subjects: Set<String>) = ([], [], [])
        for key in apiKeys where !known.names.insert(key.name).inserted {
            throw ConfigurationProblem("two keys have the name '\(key.name)'", key: "apiKeys")
        }
        for key in apiKeys where !known.keys.insert(key.key.value).inserted {
            throw ConfigurationProblem("the key '\(key.name)' is the same as one before it", key: "apiKeys")
        }
        for certificate in certificates where !known.subjects.insert(certificate.subject).inserted {
            throw ConfigurationProblem("the subject '\(certificate.subject)' is there twice", key: "certificates")
        }
    }

    /// What the server judges calls by.
    public var rules: AuthenticationRules {
        var rules = AuthenticationRules()
        rules.keys = apiKeys.map { AuthenticationRules.Key($0) }
        rules.tokens = jwt?.rules
        for section in certificates { rules.certificates[section.subject] = section.permissions.permissions }
        return rules
    }
}

/// An API key.
public struct APIKeySection: ConfigurationSection {
    /// Its name, for logs.
    public var name = ""
    /// Its text.
    public var key = Secret("")
    /// What its holders may do.
    public var permissions = PermissionList()

    /// None.
    public init() {}

    /// All keys.
    public static let settings: [Setting<APIKeySection>] = [
        Setting("name", \.name, "Its name, for logs.") { $0.isEmpty ? "is empty" : nil },
        Setting("key", \.key, "Its text: file:PATH or ${VARIABLE}, of at least 16 characters.") {
            $0.value.utf8.count < 16 ? "has fewer than 16 characters: 'openssl rand -hex 32' makes one" : nil
        },
        Setting("permissions", \.permissions, PermissionList.comment),
    ]

    /// Every key has a text.
    public func validate() throws {
        if name.isEmpty { throw ConfigurationProblem("an API key needs a 'name'") }
        if key.value.isEmpty { throw ConfigurationProblem("the API key '\(name)' needs a 'key'") }
    }
}

/// What tokens have to say.
public struct TokenSection: ConfigurationSection {
    /// A file or an address.
    public var keySet = KeySetPlace("")
    /// The roots of the address' certificate.
    public var roots: ConfigurationPath?
    /// How often an address is read.
    public var refresh = ConfigurationDuration(.seconds(300))
    /// The audience.
    public var audience = ""
    /// The issuer.
    public var issuer = ""
    /// The claim with the permissions.
    public var permissionsClaim = "permissions"

    /// None.
    public init() {}

    /// All keys.
    public static let settings: [Setting<TokenSection>] = [
        Setting(
            "keySet",
            \.keySet,
            """
            The public keys of those who sign tokens (a JSON Web Key Set): a file, read again when it changes, or an \
            https:// address. RS256, ES256 and EdDSA are known.
            """
        ),
        Setting("roots", \.roots, "A file with the roots of that address' certificate (PEM). Absent: the system's."),
        Setting(
            "refresh",
            \.refresh,
            "How often the address is read. A token with a key that is not known has it read at once."
        ) { $0.duration < .seconds(10) ? "is shorter than 10s" : nil },
        Setting("audience", \.audience, "What 'aud' has to name. Empty: anything."),
        Setting("issuer", \.issuer, "What 'iss' has to be. Empty: anything."),
        Setting(
            "permissionsClaim",
            \.permissionsClaim,
            "The claim with a list of permissions, each NAMESPACE:ROLE, as Temporal's server reads them."
        ) { $0.isEmpty ? "is empty" : nil },
    ]

    /// Tokens need keys.
    public func validate() throws {
        if keySet.place.isEmpty { throw ConfigurationProblem("'jwt' needs a 'keySet'") }
    }

    var rules: TokenRules {
        var rules = TokenRules()
        rules.audience = audience.isEmpty ? nil : audience
        rules.issuer = issuer.isEmpty ? nil : issuer
        rules.permissionsClaim = permissionsClaim
        return rules
    }

    /// Where the keys are.
    public var source: KeySetSource {
        guard keySet.isAddress else { return .file(keySet.place) }
        return .address(keySet.place, roots: roots?.path, refresh: refresh.duration)
    }
}

/// Where a key set is: a file, as a path from the folder of the configuration, or an address.
public struct KeySetPlace: ConfigurationValue {
    private let written: String
    /// The address, or the path from the folder of this process.
    let place: String

    init(_ place: String) { (written, self.place) = (place, place) }

    /// Reads a place. A file has to be a key set; an address may not be reachable yet.
    public init(from decoder: any Decoder) throws {
        written = try decoder.singleValueContainer().decode(String.self)
        guard !written.contains("://") else {
            place = written
            // Whoever can change what is on the way can make keys.
            guard written.hasPrefix("https://") || Loopback.contains(address: written) else {
                throw Self.problem("expects an https:// address or a file, not '\(written)'", decoder)
            }
            return
        }
        place = ConfigurationFolder.path(written, decoder)
        do {
            _ = try JSONWebKeySet(Array(try ConfigurationFolder.read(place, decoder).utf8))
        } catch let error as JSONWebKeySetError {
            throw Self.problem("the file '\(place)' \(error)", decoder)
        }
    }

    private static func problem(_ text: String, _ decoder: any Decoder) -> any Error {
        ConfigurationProblem("'keySet': \(text)").placed(at: decoder.yamlMark)
    }

    var isAddress: Bool { place.contains("://") }

    /// The place.
    public var text: SettingText { written.text }
}

/// What the holders of a client certificate may do.
public struct CertificateSection: ConfigurationSection {
    /// The certificate's subject.
    public var subject = ""
    /// What they may do.
    public var permissions = PermissionList()

    /// None.
    public init() {}

    /// All keys.
    public static let settings: [Setting<CertificateSection>] = [
        Setting(
            "subject",
            \.subject,
            "The subject as 'openssl x509 -noout -subject -nameopt RFC2253 -in FILE' shows it: CN=worker,O=Acme."
        ) { $0.isEmpty ? "is empty" : nil },
        Setting("permissions", \.permissions, PermissionList.comment),
    ]

    /// Every certificate has a subject.
    public func validate() throws {
        if subject.isEmpty { throw ConfigurationProblem("a certificate needs a 'subject'") }
    }
}

/// Permissions as they are written.
public struct PermissionList: ConfigurationValue {
    private var texts: [String] = []

    init() {}

    /// Reads permissions. A mistake is no permission.
    public init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        while !container.isAtEnd {
            let element = try container.superDecoder()
            let text = try element.singleValueContainer().decode(String.self)
            var permissions = Permissions()
            guard permissions.add(text) else {
                throw ConfigurationProblem(
                    "'\(text)' is no permission: expected NAMESPACE:ROLE with read, worker, write or admin"
                )
                .placed(at: element.yamlMark)
            }
            texts.append(text)
        }
    }

    /// As they are written.
    public var text: SettingText { texts.text }

    var permissions: Permissions { Permissions(texts) }

    static let comment =
        "NAMESPACE:ROLE, with the roles read, worker, write and admin; the namespace 'temporal-system' stands for all."
}

extension AuthenticationRules.Key {
    init(_ section: APIKeySection) {
        self.init(name: section.name, key: section.key.value, permissions: section.permissions.permissions)
    }
}
