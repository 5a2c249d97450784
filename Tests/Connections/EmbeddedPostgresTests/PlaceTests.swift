import Glibc
import Testing

@testable import SagamoreEmbeddedPostgres

extension EmbeddedPostgresTests {
    @Suite struct Places {
        @Test func longPathIsSupported() throws {
            let scratch = try Scratch()
            let long =
                scratch.path + "/"
                + Array(repeating: String(repeating: "long", count: 10), count: 5).joined(separator: "/")
            let server = EmbeddedPostgres(dataDirectory: long)
            try server.start()
            #expect(try number(server.url, "SELECT 1") == 1)
            try server.stop()
        }

        @Test func pathWithSpacesAndQuotesIsSupported() throws {
            let scratch = try Scratch()
            let server = EmbeddedPostgres(dataDirectory: scratch.path + "/it's a \"folder\" ü")
            try server.start()
            #expect(try number(server.url, "SELECT 1") == 1)
            try server.stop()
        }

        @Test(.enabled(if: geteuid() == 0, "only root runs PostgreSQL as somebody else"))
        func asRootTheServerRunsAsAnotherUser() throws {
            let scratch = try Scratch()
            let server = EmbeddedPostgres(dataDirectory: scratch.path)
            try server.start()
            let pid = try #require(server.postmasterPID)
            #expect(try #require(status("/proc/\(pid)")).st_uid != 0)
            #expect(try #require(status(scratch.path + "/cluster")).st_uid != 0)
            try server.stop()
        }

        @Test(.enabled(if: geteuid() == 0, "only root runs PostgreSQL as somebody else"))
        func folderThatTheUserCannotReachIsRefused() throws {
            let scratch = try Scratch(mode: 0o700)
            let folder = scratch.path + "/data"
            let lines = Lines()
            let server = EmbeddedPostgres(dataDirectory: folder, log: lines.log)
            try server.start()
            try execute(server.url, "CREATE TABLE t AS SELECT 7::int8 AS a")
            let elsewhere = try #require(Files.text(folder + "/postgres-location")).dropLast()
            #expect(elsewhere.hasPrefix("/var/lib/sagamore/") || elsewhere.hasPrefix("/tmp/sagamore-"))
            #expect(lines.all.count == 1)
            #expect(lines.all.first?.contains(elsewhere) == true)
            try server.stop()
            try server.start()
            #expect(try number(server.url, "SELECT a FROM t") == 7)
            #expect(lines.all.count == 1)
            try server.wipe()
            #expect(status(String(elsewhere)) == nil)
            #expect(status(folder + "/postgres-location") == nil)
        }

        @Test(.enabled(if: geteuid() == 0, "only root runs PostgreSQL as somebody else"))
        func clusterThatBecameUnreachableIsNotReplacedByAnEmptyOne() throws {
            let scratch = try Scratch()
            let server = EmbeddedPostgres(dataDirectory: scratch.path + "/data")
            try server.start()
            try server.stop()
            chmod(scratch.path, 0o700)
            let error = #expect(throws: EmbeddedPostgresError.self) { try server.start() }
            #expect(error?.code == .folder)
            chmod(scratch.path, 0o711)
            try server.start()
            try server.stop()
        }

        @Test func fileInPlaceOfTheFolderIsRefused() throws {
            let scratch = try Scratch()
            #expect(system("touch '\(scratch.path)/file'") == 0)
            let error = #expect(throws: EmbeddedPostgresError.self) {
                try EmbeddedPostgres(dataDirectory: scratch.path + "/file").start()
            }
            #expect(error?.code == .folder)
        }

        @Test func clusterOfAnotherVersionIsRefused() throws {
            let scratch = try Scratch()
            #expect(system("mkdir -p '\(scratch.path)/cluster' && echo 9 > '\(scratch.path)/cluster/PG_VERSION'") == 0)
            if geteuid() == 0 { chown(scratch.path + "/cluster", 65534, 65534) }
            let error = #expect(throws: EmbeddedPostgresError.self) {
                try EmbeddedPostgres(dataDirectory: scratch.path).start()
            }
            #expect(error?.code == .version)
            #expect(error?.message.contains("postgresql-9") == true)
        }

        @Test func refusedSettingIsNamedInTheError() throws {
            let scratch = try Scratch()
            let server = EmbeddedPostgres(dataDirectory: scratch.path, settings: ["shared_buffers": "nonsense"])
            let error = #expect(throws: EmbeddedPostgresError.self) { try server.start() }
            #expect(error?.code == .process)
            #expect(error?.message.contains("shared_buffers") == true)
            #expect(!server.isRunning)
        }
    }
}
