import Glibc
import SagamoreEmbeddedPostgres
import SagamorePostgresTestSupport
import Testing

extension EmbeddedPostgresTests {
    /// What an earlier process left behind. A second object in this process cannot stand in for it while the first
    /// holds the lock, so the server is started by hand.
    @Suite struct LeftOvers {
        /// Starts the cluster's server without an `EmbeddedPostgres` and returns its process id.
        func startByHand(_ cluster: String) throws -> Int32 {
            let owner = try #require(status(cluster)).st_uid
            let user = geteuid() == 0 ? "setpriv --reuid=\(owner) --regid=\(owner) --clear-groups --" : ""
            let bin =
                "$(dirname $(readlink -f $(command -v postgres || ls -d /usr/lib/postgresql/*/bin/postgres | tail -1)))"
            #expect(system("cd / && mkdir -p /tmp/sagamore-by-hand && chmod 777 /tmp/sagamore-by-hand") == 0)
            let command =
                "cd / && \(user) \(bin)/pg_ctl -D '\(cluster)' -w -s -l /dev/null"
                + " -o '-c unix_socket_directories=/tmp/sagamore-by-hand' start"
            try #require(system(command) == 0)
            let file = try #require(fopen(cluster + "/postmaster.pid", "r"))
            defer { fclose(file) }
            var text = [CChar](repeating: 0, count: 64)
            fgets(&text, 64, file)
            return Int32(atoi(text))
        }

        func preparedCluster(_ folder: String) throws {
            let server = EmbeddedPostgres(dataDirectory: folder)
            try server.start()
            try execute(server.url, "CREATE TABLE t AS SELECT 7::int8 AS a")
            try server.stop()
        }

        @Test func runningServerIsStoppedFirst() throws {
            let scratch = try Scratch()
            defer { system("rm -rf /tmp/sagamore-by-hand") }
            try preparedCluster(scratch.path)
            let old = try startByHand(scratch.path + "/cluster")
            let lines = Lines()
            let server = EmbeddedPostgres(dataDirectory: scratch.path, log: lines.log)
            try server.start()
            #expect(!isAlive(old))
            #expect(lines.all.count == 1)
            #expect(lines.all.first?.contains("stopped a PostgreSQL that an earlier process left") == true)
            #expect(try number(server.url, "SELECT a FROM t") == 7)
            try server.stop()
        }

        @Test func pidFileOfAKilledServerIsIgnored() throws {
            let scratch = try Scratch()
            defer { system("rm -rf /tmp/sagamore-by-hand") }
            try preparedCluster(scratch.path)
            let old = try startByHand(scratch.path + "/cluster")
            kill(old, SIGKILL)
            let server = EmbeddedPostgres(dataDirectory: scratch.path)
            try server.start()
            #expect(try number(server.url, "SELECT a FROM t") == 7)
            try server.stop()
        }

        @Test func pidFileWithAnotherProcessesIDIsIgnored() throws {
            let scratch = try Scratch()
            try preparedCluster(scratch.path)
            #expect(
                system(
                    "printf '%s\\n' \(getpid()) x 0 5432 /tmp '' '' ready > '\(scratch.path)/cluster/postmaster.pid'"
                ) == 0
            )
            let server = EmbeddedPostgres(dataDirectory: scratch.path)
            try server.start()
            #expect(server.postmasterPID != getpid())
            try server.stop()
        }

        @Test func incompleteClusterIsReplaced() throws {
            let scratch = try Scratch()
            #expect(
                system(
                    "mkdir -p '\(scratch.path)/cluster.new/base' && echo 15 > '\(scratch.path)/cluster.new/PG_VERSION'"
                ) == 0
            )
            let server = EmbeddedPostgres(dataDirectory: scratch.path)
            try server.start()
            #expect(status(scratch.path + "/cluster.new") == nil)
            try server.stop()
        }

        @Test func secondUserOfTheFolderIsRefused() throws {
            let scratch = try Scratch()
            let first = EmbeddedPostgres(dataDirectory: scratch.path)
            try first.start()
            let second = EmbeddedPostgres(dataDirectory: scratch.path)
            let error = #expect(throws: EmbeddedPostgresError.self) { try second.start() }
            #expect(error?.code == .inUse)
            #expect(error?.message.contains("\(getpid())") == true)
            #expect(try number(first.url, "SELECT 1") == 1)
            try first.stop()
            try second.start()
            try second.stop()
        }

        @Test func foldersOfDeadTestProcessesAreRemoved() throws {
            // No process has an id this large.
            let path = "/tmp/sagamore-test-99999999-left"
            #expect(system("mkdir -p \(path)/cluster") == 0)
            let server = try TemporaryPostgres()
            #expect(status(path) == nil)
            try server.stop()
        }
    }
}
