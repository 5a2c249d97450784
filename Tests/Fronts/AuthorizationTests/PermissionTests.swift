import SagamoreAuthorization
import Testing

@Suite struct PermissionTests {
    @Test func permissionsAreReadAsTemporalWritesThem() {
        let permissions = Permissions(["travel:read", "travel:Worker", "temporal-system:write", "a:b:admin"])
        #expect(permissions.roles(in: "travel") == [.read, .worker, .write])
        #expect(permissions.roles(in: "other") == .write)
        #expect(permissions.roles(in: "a:b") == [.admin, .write])
        #expect(permissions.roles(in: nil) == .write)
        #expect(permissions.roles(in: "") == .write)
    }

    @Test(arguments: ["", ":", "travel", "travel:", ":read", "travel:reader", "travel: read", "read:travel"])
    func whatIsNoPermissionGivesNone(text: String) {
        var permissions = Permissions()
        let isAdded = permissions.add(text)
        #expect(!isAdded)
        #expect(permissions == Permissions())
    }

    /// Each role has at least what the ones that it includes have.
    @Test func rolesGrantAccess() {
        let granted: [(Roles, [Access])] = [
            ([], [.anybody]),
            (.worker, [.anybody, .member, .worker]),
            (.read, [.anybody, .member, .read]),
            (.write, [.anybody, .member, .read, .worker, .write]),
            (.admin, [.anybody, .member, .read, .worker, .write, .admin]),
            ([.worker, .read], [.anybody, .member, .read, .worker]),
        ]
        for (roles, expected) in granted {
            #expect(Access.allCases.filter { $0.isGranted(to: roles) } == expected)
        }
    }
}
