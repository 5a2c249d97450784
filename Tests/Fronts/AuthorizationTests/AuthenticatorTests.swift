import SagamoreAuthorization
import Synchronization
import Testing

/// The examples of RFC 7515 (A.2 and A.3): tokens that others have made.
private enum Example {
    static let body = """
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ
        """
    static let rsa = """
        eyJhbGciOiJSUzI1NiJ9.\(body).cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5Y\
        Kt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K\
        0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5\
        AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw
        """
    static let ec = """
        eyJhbGciOiJFUzI1NiJ9.\(body).DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ\
        xfKTUJqPP3-Kg6NU1Q
        """
    static let rsaKey = """
        {"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPM\
        EzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYU\
        sLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaG\
        Nj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"%}
        """
    static let ecKey = """
        {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",\
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"%}
        """

    static func keySet(_ keys: String..., more: String = "") throws -> JSONWebKeySet {
        let list = keys.map { $0.replacing("%", with: more) }.joined(separator: ",")
        return try JSONWebKeySet(Array(#"{"keys":[\#(list)]}"#.utf8))
    }

    /// The second in which the tokens expire.
    static let expiry: Int64 = 1_300_819_380
}

@Suite struct AuthenticatorTests {
    private final class Clock: Sendable {
        let time = Atomic(Example.expiry - 100)
    }

    private func bearer(_ text: String) -> ArraySlice<UInt8> { Array("Bearer \(text)".utf8)[...] }

    private func authenticator(_ clock: Clock = Clock(), issuer: String? = "joe") -> Authenticator {
        var rules = AuthenticationRules()
        var tokens = TokenRules()
        tokens.issuer = issuer
        rules.tokens = tokens
        rules.keys = [.init(name: "site", key: "0123456789abcdef", permissions: Permissions(["travel:write"]))]
        rules.certificates["CN=worker"] = Permissions(["travel:worker"])
        return Authenticator(rules) { clock.time.load(ordering: .relaxed) }
    }

    @Test func tokensOfOthersAreRead() throws {
        let authenticator = authenticator()
        #expect(throws: AuthenticationError.noKeySet) {
            try authenticator.caller(authorization: bearer(Example.rsa), certificate: nil)
        }
        authenticator.replace(try Example.keySet(Example.rsaKey, Example.ecKey))
        for token in [Example.rsa, Example.ec] {
            #expect(try authenticator.caller(authorization: bearer(token), certificate: nil).name == "token")
        }
    }

    @Test func aTokenIsForgottenWhenItExpiresAndWhenItsKeyIsGone() throws {
        let clock = Clock()
        let authenticator = authenticator(clock)
        authenticator.replace(try Example.keySet(Example.rsaKey, Example.ecKey))
        _ = try authenticator.caller(authorization: bearer(Example.ec), certificate: nil)
        authenticator.replace(try Example.keySet(Example.rsaKey))
        #expect(throws: AuthenticationError.unknownSigner) {
            try authenticator.caller(authorization: bearer(Example.ec), certificate: nil)
        }
        #expect(authenticator.unknownSignerCount == 1)
        _ = try authenticator.caller(authorization: bearer(Example.rsa), certificate: nil)
        // Clocks may differ by ten seconds.
        clock.time.store(Example.expiry + 9, ordering: .relaxed)
        _ = try authenticator.caller(authorization: bearer(Example.rsa), certificate: nil)
        clock.time.store(Example.expiry + 10, ordering: .relaxed)
        #expect(throws: AuthenticationError.expired) {
            try authenticator.caller(authorization: bearer(Example.rsa), certificate: nil)
        }
    }

    @Test func aKeyIsUsedForItsOwnPurposeOnly() throws {
        for more in [#","alg":"RS512""#, #","use":"enc""#, #","alg":"HS256""#] {
            #expect(throws: JSONWebKeySetError.self) { try Example.keySet(Example.rsaKey, more: more) }
        }
        let authenticator = authenticator()
        authenticator.replace(try Example.keySet(Example.rsaKey, more: #","alg":"RS256","use":"sig","kid":"1""#))
        _ = try authenticator.caller(authorization: bearer(Example.rsa), certificate: nil)
        #expect(throws: AuthenticationError.unknownSigner) {
            try authenticator.caller(authorization: bearer(Example.ec), certificate: nil)
        }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"keys":[]}"#, #"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#, "{\"keys\":[1",
    ])
    func whatIsNoKeySetIsRefused(text: String) {
        #expect(throws: JSONWebKeySetError.self) { try JSONWebKeySet(Array(text.utf8)) }
    }

    @Test func aPointThatIsNotOnTheCurveIsNoKey() {
        let key = Example.ecKey.replacing("f83OJ3D2xF1", with: "f83OJ3D2xF2")
        #expect(throws: JSONWebKeySetError.self) { try Example.keySet(key) }
    }

    @Test func everyChangedByteIsNoticed() throws {
        let authenticator = authenticator()
        authenticator.replace(try Example.keySet(Example.rsaKey, Example.ecKey))
        for token in [Example.rsa, Example.ec].map({ Array($0.utf8) }) {
            // The last character of each part has bits that belong to no byte.
            for index in token.indices.dropLast() where token[index] != 46 && token[index + 1] != 46 {
                var changed = token
                changed[index] = token[index] == 65 ? 66 : 65
                #expect(throws: AuthenticationError.self) {
                    let authorization = Array("Bearer ".utf8) + changed
                    _ = try authenticator.caller(authorization: authorization[...], certificate: nil)
                }
            }
        }
    }

    @Test func keysAndCertificatesAreKnown() throws {
        let authenticator = authenticator()
        let site = try authenticator.caller(authorization: bearer("0123456789abcdef"), certificate: "CN=worker")
        #expect(site.name == "site")
        #expect(site.permissions.roles(in: "travel") == .write)
        #expect(try authenticator.caller(authorization: nil, certificate: "CN=worker").name == "CN=worker")
        for subject in ["CN=other", nil] {
            #expect(throws: AuthenticationError.missing) {
                try authenticator.caller(authorization: nil, certificate: subject)
            }
        }
        // A certificate does not save a call with a wrong key.
        #expect(throws: AuthenticationError.unknownKey) {
            try authenticator.caller(authorization: bearer("0123456789abcdeg"), certificate: "CN=worker")
        }
        authenticator.replace(AuthenticationRules())
        #expect(throws: AuthenticationError.unknownKey) {
            try authenticator.caller(authorization: bearer("0123456789abcdef"), certificate: nil)
        }
    }

    @Test func issuersAreCompared() throws {
        let authenticator = authenticator(issuer: "jim")
        authenticator.replace(try Example.keySet(Example.rsaKey))
        #expect(throws: AuthenticationError.wrongIssuer) {
            try authenticator.caller(authorization: bearer(Example.rsa), certificate: nil)
        }
    }

    @Test func everyReasonHasAWordForMetrics() {
        for error in AuthenticationError.allCases {
            #expect(error.label.wholeMatch(of: /[a-z_]+/) != nil)
            #expect(!error.description.isEmpty)
        }
    }
}
