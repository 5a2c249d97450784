import SagamoreEmbeddedPostgres
import SagamoreEngine
import SagamoreNamespaces
import SagamorePersistence
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreServices
import Testing

/// The tests share one server and block their threads.
@Suite(.serialized)
struct NamespaceDirectoryTests {
    let url: String

    init() throws {
        url = try TemporaryPostgres.sharedServer().createDatabase()
        let connection = try PostgresConnection(url, applicationName: "tests")
        defer { connection.close() }
        _ = try Migrator.migrate(connection, shardCount: 1)
    }

    @discardableResult
    private func add(_ name: String, to directory: PostgresNamespaceDirectory) throws -> NamespaceRecord {
        try directory.register(
            name: name,
            description: "of \(name)",
            ownerEmail: "owner@example.org",
            retention: .seconds(86_400),
            data: [
                "team": "travel", "ticket": "", "quote": "a \"word\", {and} more", "caf\u{E9}": "one scalar",
                "cafe\u{301}": "two scalars",
            ]
        )
    }

    @Test func aRegisteredNamespaceIsFoundByNameAndNumber() throws {
        let directory = try PostgresNamespaceDirectory(url: url)
        #expect(directory.list().isEmpty)
        let record = try add("orders", to: directory)
        #expect(try directory.namespace(named: "orders") == record)
        #expect(directory.namespace(numbered: record.number) == record)
        #expect(directory.namespace(numbered: record.number + 1) == nil)
        #expect(RunID(record.id) != nil)
        #expect(record.description == "of orders")
        #expect(record.ownerEmail == "owner@example.org")
        #expect(record.retention == .seconds(86_400))
    }

    @Test func canonicallyEquivalentNamesAreTwoNamespaces() throws {
        let directory = try PostgresNamespaceDirectory(url: url)
        let (one, other) = ("caf\u{E9}", "cafe\u{301}")
        let first = try add(one, to: directory)
        #expect(throws: RequestError.self) { try directory.namespace(named: other) }
        let second = try add(other, to: directory)
        #expect(try directory.namespace(named: one).number == first.number)
        #expect(try directory.namespace(named: other).number == second.number)
    }

    @Test func anotherDirectoryReadsTheSameRecords() throws {
        let first = try PostgresNamespaceDirectory(url: url)
        let orders = try add("orders", to: first)
        let plain = try first.register(
            name: "plain",
            description: "",
            ownerEmail: "",
            retention: .seconds(3_600),
            data: [:]
        )
        let second = try PostgresNamespaceDirectory(url: url)
        #expect(second.list() == [orders, plain])
        #expect(second.list().first?.data["quote"] == "a \"word\", {and} more")
        #expect(second.list().first?.data.count == 5)
    }

    @Test func aNamespaceOfAnotherProcessIsFoundAfterARefresh() throws {
        let first = try PostgresNamespaceDirectory(url: url)
        let second = try PostgresNamespaceDirectory(url: url)
        let record = try add("late", to: second)
        #expect(throws: RequestError.self) { try first.namespace(named: "late") }
        try first.refresh()
        #expect(try first.namespace(named: "late") == record)
    }

    @Test func aNameIsRegisteredOnce() throws {
        let first = try PostgresNamespaceDirectory(url: url)
        let second = try PostgresNamespaceDirectory(url: url)
        let record = try add("orders", to: second)
        let error = try #require(throws: RequestError.self) { try add("orders", to: first) }
        #expect(error.code == .alreadyExists)
        // Another process registered the name. The refused attempt makes it known here.
        #expect(try first.namespace(named: "orders") == record)
    }

    @Test func anUnknownNameIsNotFound() throws {
        let directory = try PostgresNamespaceDirectory(url: url)
        let error = try #require(throws: RequestError.self) { try directory.namespace(named: "nowhere") }
        #expect(error.code == .notFound)
        guard case .namespaceNotFound("nowhere") = error.detail else {
            Issue.record("the detail names the namespace, so that clients can tell")
            return
        }
    }

    @Test(arguments: ["", "a\0b"])
    func aNameThatCannotBeStoredIsRejected(_ name: String) throws {
        let directory = try PostgresNamespaceDirectory(url: url)
        let error = try #require(throws: RequestError.self) { try add(name, to: directory) }
        #expect(error.code == .invalidArgument)
        #expect(directory.list().isEmpty)
    }

    @Test func anUnreachableDatabaseIsReportedAsUnavailable() throws {
        let server = try TemporaryPostgres()
        let url = try server.createDatabase()
        let connection = try PostgresConnection(url, applicationName: "tests")
        _ = try Migrator.migrate(connection, shardCount: 1)
        connection.close()
        let directory = try PostgresNamespaceDirectory(url: url)
        let record = try add("orders", to: directory)
        server.kill9()
        let error = try #require(throws: RequestError.self) { try add("more", to: directory) }
        #expect(error.code == .unavailable)
        #expect(throws: RequestError.self) { try directory.refresh() }
        // Known namespaces stay, and registration works again once the database is back.
        #expect(try directory.namespace(named: "orders") == record)
        try server.restart()
        try add("more", to: directory)
        #expect(directory.list().map(\.name) == ["orders", "more"])
    }

    @Test func aChangeMergesDataAndKeepsTheRest() throws {
        let directory = try PostgresNamespaceDirectory(url: url)
        let before = try add("orders", to: directory)
        var change = NamespaceChange()
        change.data = ["team": "rail", "new": "yes"]
        change.retention = .seconds(7_200)
        let after = try directory.update("orders", change)
        #expect(after.description == before.description)
        #expect(after.ownerEmail == before.ownerEmail)
        #expect(after.retention == .seconds(7_200))
        #expect(after.data == before.data.merging(["team": "rail", "new": "yes"]))
        change = NamespaceChange()
        change.description = "another"
        change.ownerEmail = "other@example.org"
        change.state = .deprecated
        _ = try directory.update("orders", change)
        let read = try PostgresNamespaceDirectory(url: url).namespace(named: "orders")
        #expect(read == (try directory.namespace(named: "orders")))
        #expect(read.state == .deprecated)
        #expect(read.description == "another")
        #expect(read.data == after.data)
    }

    @Test func aChangeOfWhatIsNotThereIsNotFound() throws {
        let directory = try PostgresNamespaceDirectory(url: url)
        let error = try #require(throws: RequestError.self) { try directory.update("nowhere", NamespaceChange()) }
        #expect(error.code == .notFound)
        #expect(throws: RequestError.self) { try directory.delete("nowhere") }
    }

    @Test func aDeletedNamespaceGivesItsNameAway() throws {
        let directory = try PostgresNamespaceDirectory(url: url)
        let first = try add("orders", to: directory)
        let deleted = try directory.delete("orders")
        #expect(deleted.name == "orders-deleted-\(first.id.prefix(5))")
        #expect(deleted.state == .deleted)
        #expect(deleted.isDeleted)
        #expect(throws: RequestError.self) { try directory.namespace(named: "orders") }
        #expect(directory.namespace(numbered: first.number) == deleted)
        // Deleting it again changes nothing.
        #expect(try directory.delete(deleted.name) == deleted)
        let second = try add("orders", to: directory)
        #expect(second.number != first.number)
        #expect(try directory.namespace(named: "orders").number == second.number)
    }

    @Test func aTakenNameOfADeletedNamespaceIsMadeLonger() throws {
        let directory = try PostgresNamespaceDirectory(url: url)
        let record = try add("orders", to: directory)
        try add("orders-deleted-\(record.id.prefix(5))", to: directory)
        #expect(try directory.delete("orders").name == "orders-deleted-\(record.id.prefix(6))")
    }

    @Test func namesDifferByCase() throws {
        let directory = try PostgresNamespaceDirectory(url: url)
        let lower = try add("orders", to: directory)
        let upper = try add("Orders", to: directory)
        #expect(lower.number != upper.number)
        _ = try directory.delete("Orders")
        #expect(try directory.namespace(named: "orders") == lower)
    }
}
