import Glibc
import SagamoreEmbeddedPostgres
import SagamorePostgresClient
import SagamorePostgresTestSupport
import Testing

extension EmbeddedPostgresTests {
    @Suite struct Life {
        @Test func startStopRestartKeepsTheData() throws {
            let scratch = try Scratch()
            let lines = Lines()
            let server = EmbeddedPostgres(dataDirectory: scratch.path + "/data", log: lines.log)
            #expect(server.url == "")
            #expect(server.postmasterPID == nil)
            #expect(!server.isRunning)
            try server.start()
            try server.start()
            let first = try #require(server.postmasterPID)
            #expect(isAlive(first))
            #expect(server.isRunning)
            try execute(server.url, "CREATE TABLE t AS SELECT 7::int8 AS a")
            try execute(server.url, "CREATE DATABASE \"odd name-1\"")
            #expect(try number(server.url(database: "odd name-1"), "SELECT 1") == 1)
            try server.stop()
            try server.stop()
            #expect(!isAlive(first))
            #expect(!server.isRunning)
            try server.start()
            #expect(try number(server.url, "SELECT a FROM t") == 7)
            #expect(server.postmasterPID != first)
            try server.stop(mode: .immediate)
            #expect(lines.all.isEmpty, "\(lines.all)")
        }

        @Test func settingsAreDurableAndFilesPrivate() throws {
            let scratch = try Scratch()
            let server = EmbeddedPostgres(dataDirectory: scratch.path)
            try server.start()
            let connection = try PostgresConnection(server.url, applicationName: "tests")
            for (name, value) in [
                ("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on"), ("listen_addresses", ""),
                ("server_encoding", "UTF8"), ("lc_collate", "C"), ("wal_level", "minimal"), ("max_connections", "100"),
                ("TimeZone", "UTC"),
            ] {
                let shown = try connection.query(PostgresStatement(name, "SHOW \(name)")).text(0, 0)
                #expect(shown == value, "\(name)")
            }
            let host = try #require(server.url.split(separator: "?").last?.split(separator: "&").first)
            let folder = String(host.dropFirst("host=".count)).replacing("%2F", with: "/")
            #expect(folder.utf8.count < 60)
            #expect(try #require(status(folder)).st_mode & 0o777 == 0o700)
            #expect(try #require(status(scratch.path + "/cluster")).st_mode & 0o777 == 0o700)
            try server.stop()
            #expect(status(folder) == nil)
        }

        @Test func serverHasItsOwnSessionAndInheritsNoDescriptorsOrSignalMask() throws {
            let scratch = try Scratch()
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            try #require(socket >= 0)
            defer { close(socket) }
            let server = EmbeddedPostgres(dataDirectory: scratch.path)
            var blocked = sigset_t()
            var before = sigset_t()
            sigemptyset(&blocked)
            sigaddset(&blocked, SIGINT)
            pthread_sigmask(SIG_BLOCK, &blocked, &before)
            try server.start()
            pthread_sigmask(SIG_SETMASK, &before, nil)
            let pid = try #require(server.postmasterPID)
            #expect(getsid(pid) == pid)
            #expect(getpgid(pid) != getpgid(0))
            // The server listens on no internet socket, so an open one would be inherited.
            var link = [CChar](repeating: 0, count: 512)
            let count = readlink("/proc/self/fd/\(socket)", &link, 511)
            let ours = String(decoding: link.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            #expect(ours.hasPrefix("socket:"))
            #expect(system("ls -l /proc/\(pid)/fd | grep -qF '\(ours)'") != 0)
            try server.stop()
        }

        @Test func killedServerIsRestarted() throws {
            let server = try TemporaryPostgres()
            try execute(server.url, "CREATE TABLE t AS SELECT 7::int8 AS a")
            let url = server.url
            let first = try #require(server.postmasterPID)
            server.kill9()
            #expect(!isAlive(first))
            #expect(server.postmasterPID == nil)
            try server.restart()
            #expect(server.url == url)
            #expect(try number(server.url, "SELECT a FROM t") == 7)
            try server.stop()
        }

        @Test func wipeRemovesTheClusterAndNothingElse() throws {
            let scratch = try Scratch()
            #expect(system("echo mine > '\(scratch.path)/own'") == 0)
            let server = EmbeddedPostgres(dataDirectory: scratch.path)
            try server.start()
            let pid = try #require(server.postmasterPID)
            try server.wipe()
            #expect(!isAlive(pid))
            #expect(system("test \"$(ls -A '\(scratch.path)')\" = own") == 0)
            try server.start()
            try server.wipe()
        }

        @Test func temporaryServerLeavesNothingBehind() throws {
            var server: TemporaryPostgres? = try TemporaryPostgres()
            let pid = try #require(server?.postmasterPID)
            let log = try #require(server?.logFile)
            #expect(status(log) != nil)
            server = nil
            #expect(!isAlive(pid))
            #expect(status(log) == nil)
        }

        @Test func sharedServerIsStartedOnce() throws {
            let first = try TemporaryPostgres.sharedServer().createDatabase()
            let second = try TemporaryPostgres.sharedServer().createDatabase()
            #expect(first != second)
            #expect(try number(second, "SELECT 5") == 5)
        }
    }
}
