internal import Glibc
public import SagamoreEmbeddedPostgres
internal import SagamorePostgresClient
internal import Synchronization

/// A fresh PostgreSQL server for tests, in a temporary folder that goes away with it.
///
/// Everything is as in `EmbeddedPostgres` (commits are durable), but the server may be killed and brought back.
public final class TemporaryPostgres: Sendable {
    private let server: EmbeddedPostgres
    private let databases = Atomic(0)

    private static let shared = Result { () throws(EmbeddedPostgresError) in
        let server = try TemporaryPostgres()
        atexit { try? TemporaryPostgres.sharedIfStarted?.stop() }
        return server
    }

    private static var sharedIfStarted: TemporaryPostgres? { try? shared.get() }

    /// The one server of this process, started on first use and removed when the process exits. Not to be killed:
    /// others use it too.
    public static func sharedServer() throws(EmbeddedPostgresError) -> TemporaryPostgres { try shared.get() }

    /// Makes a cluster and starts its server; takes a second or two.
    ///
    /// Servers and folders that killed processes left are removed first.
    public init(
        settings: [String: String] = [:],
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(EmbeddedPostgresError) {
        TemporaryFolder.removeLeftOvers()
        server = EmbeddedPostgres(
            dataDirectory: try TemporaryFolder.make(),
            settings: settings,
            care: .temporary,
            log: log
        )
        try server.start()
    }

    deinit { try? stop() }

    /// Where to connect, as libpq wants it; the database `postgres`.
    public var url: String { server.url }

    /// The server's main process; nil when it doesn't run.
    public var postmasterPID: Int32? { server.postmasterPID }

    /// The file that the server writes its messages to.
    public var logFile: String { server.dataDirectory + "/postgres.log" }

    /// Makes an empty database with a new name, and returns where to connect to it.
    public func createDatabase() throws -> String {
        let name = "test_\(databases.add(1, ordering: .relaxed).newValue)"
        let connection = try PostgresConnection(server.url, applicationName: "tests")
        defer { connection.close() }
        try connection.execute("CREATE DATABASE \(name)")
        return server.url(database: name)
    }

    /// Kills the server's main process with SIGKILL, and waits until it is gone. Its sessions end by themselves soon.
    public func kill9() {
        guard let pid = server.postmasterPID else { return }
        kill(pid, SIGKILL)
        _ = Wait.until(seconds: 10) { !server.isRunning }
    }

    /// Starts the server again after `kill9()`, on the same address: it recovers.
    public func restart() throws(EmbeddedPostgresError) { try server.start() }

    /// Stops the server in order and starts it again, on the same address.
    public func stopAndRestart(mode: EmbeddedPostgres.StopMode = .fast) throws(EmbeddedPostgresError) {
        try server.stop(mode: mode)
        try server.start()
    }

    /// Ends the server and removes its folder. Safe to repeat.
    public func stop() throws(EmbeddedPostgresError) {
        try server.stop(mode: .immediate)
        try Files.remove(server.dataDirectory)
    }
}

/// Folders below `/tmp` whose names tell which process they belong to.
enum TemporaryFolder {
    private static let prefix = "sagamore-test-"

    static func make() throws(EmbeddedPostgresError) -> String {
        var template = Array("/tmp/\(prefix)\(getpid())-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Files.failure("can't make a folder in /tmp") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The database's user has to pass through.
        chmod(path, 0o711)
        return path
    }

    /// Ends and removes what processes left that are no more.
    static func removeLeftOvers() {
        for name in Files.names(in: "/tmp") where name.hasPrefix(prefix) {
            let path = "/tmp/" + name
            guard let pid = Int32(name.dropFirst(prefix.count).prefix(while: \.isNumber)),
                Files.status("/proc/\(pid)") == nil, Files.status(path)?.owner == geteuid(),
                let lock = try? FolderLock(path)
            else { continue }
            let postmaster = Postmaster(cluster: path + "/cluster")
            let socketFolder = postmaster.note?.socketFolder
            _ = try? postmaster.end(SIGQUIT, patience: 5)
            if let socketFolder, socketFolder.hasPrefix(ClusterPlace.socketPrefix) { try? Files.remove(socketFolder) }
            try? Files.remove(path)
            withExtendedLifetime(lock) {}
        }
    }
}
