import SagamoreEmbeddedPostgres
import SagamorePostgresClient
import SagamorePostgresTestSupport
import Testing

extension PostgresClientTests {
    @Suite struct Errors {
        @Test func wrongUseIsTold() throws {
            let connection = try connect(newDatabase())
            _ = try connection.query(PostgresStatement("same", "SELECT 1"))
            let clash = try failure { () throws(PostgresError) in
                try connection.query(PostgresStatement("same", "SELECT 2"))
            }
            #expect(clash.code == .usage)
            let copy = try failure { () throws(PostgresError) in try connection.execute("COPY pg_class TO STDOUT") }
            #expect(copy.code == .usage)
            #expect(!connection.isUsable)
            try connection.reconnect()
            #expect(try connection.number("SELECT 3") == 3)
        }

        @Test func syntaxErrorInExecute() throws {
            let connection = try connect(newDatabase())
            let error = try failure { () throws(PostgresError) in
                try connection.execute("CREATE TABLE a (id int8); CREATE TABEL b (id int8)")
            }
            #expect(error.code == .server)
            #expect(error.sqlState == "42601")
            #expect(connection.isUsable)
            #expect(try connection.number("SELECT count(*) FROM pg_class WHERE relname = 'a'") == 0)
        }

        @Test func messagesQuoteNoValues() throws {
            let connection = try connect(newDatabase())
            let error = try failure { () throws(PostgresError) in
                try connection.query(PostgresStatement("cast", "SELECT ($1::text)::int8"), [.text("secret")])
            }
            #expect(error.sqlState == "22P02")
            #expect(error.isDataError)
            #expect(!error.description.contains("secret"))
        }

        @Test func wrongWidthIsTheServersError() throws {
            let connection = try connect(newDatabase())
            let error = try failure { () throws(PostgresError) in
                try connection.query(PostgresStatement("width", "SELECT $1::int4"), [.int64(1)])
            }
            #expect(error.sqlState == "22P03")
            #expect(connection.isUsable)
        }

        @Test(arguments: [
            "postgresql://user:hunter2@[::1/db", "host=a password='hunter2",
            "postgresql://u:hunter2@h/db?nonsense=hunter2",
            "host=x hunter2",
        ])
        func connectionStringsAreNotQuoted(_ url: String) throws {
            let error = try failure { () throws(PostgresError) in try connect(url) }
            #expect(error.code == .usage)
            #expect(!error.description.contains("hunter2"))
        }

        @Test func nobodyListens() throws {
            let error = try failure { () throws(PostgresError) in
                try connect("host=/tmp/sagamore-no-such-folder password=hunter2")
            }
            #expect(error.code == .cannotConnect)
            #expect(error.isTransient)
            #expect(!error.description.contains("hunter2"))
            #expect(!error.message.contains("\n"))
        }

        @Test func missingDatabase() throws {
            let url = try TemporaryPostgres.sharedServer().url.replacing("/postgres?", with: "/missing?")
            let error = try failure { () throws(PostgresError) in try connect(url) }
            #expect(error.code == .cannotConnect)
            #expect(error.message.contains("does not exist"))
        }

        @Test func sessionSettings() throws {
            let url = try newDatabase()
            let plain = try connect(url + "&options=-c%20work_mem%3D5MB")
            #expect(try plain.query(PostgresStatement("s", "SHOW statement_timeout")).text(0, 0) == "0")
            #expect(try plain.query(PostgresStatement("w", "SHOW work_mem")).text(0, 0) == "5MB")
            #expect(try plain.query(PostgresStatement("a", "SHOW application_name")).text(0, 0) == "tests")
            #expect(try plain.query(PostgresStatement("e", "SHOW client_encoding")).text(0, 0) == "UTF8")
            let set = try PostgresConnection(
                url + "&application_name=chosen",
                applicationName: "tests",
                sessionSettings: [("statement_timeout", "1 min"), ("search_path", "a\\b, c")]
            )
            #expect(try set.query(PostgresStatement("s", "SHOW statement_timeout")).text(0, 0) == "1min")
            #expect(try set.query(PostgresStatement("a", "SHOW application_name")).text(0, 0) == "chosen")
            #expect(try set.query(PostgresStatement("p", "SHOW search_path")).text(0, 0) == "a\\b, c")
        }

        @Test func closedConnection() throws {
            let connection = try connect(newDatabase())
            connection.close()
            connection.close()
            #expect(!connection.isUsable)
            let error = try failure { () throws(PostgresError) in try connection.number("SELECT 1") }
            #expect(error.code == .connectionLost)
        }

        @Test func classesOfErrors() {
            for (state, isData, isTransient) in [
                ("22001", true, false), ("23505", true, false), ("54000", true, false), ("40001", false, true),
                ("40P01", false, true), ("53300", false, true), ("57014", false, true), ("42601", false, false),
            ] {
                let error = PostgresError(.server, "m", sqlState: state)
                #expect(error.isDataError == isData)
                #expect(error.isTransient == isTransient)
            }
            #expect(!PostgresError(.outcomeUnknown, "m", sqlState: "57P01").isTransient)
            #expect(PostgresError(.connectionLost, "m").isTransient)
            let full = PostgresError(.server, "m", sqlState: "23505", constraint: "k", statementIndex: 2)
            #expect(full.description == "server 23505 in statement 2 (constraint k): m")
        }
    }
}
