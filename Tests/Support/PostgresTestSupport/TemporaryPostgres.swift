internal import Glibc
public import SagamoreEmbeddedPostgres
internal import SagamorePostgresClient
internal import Synchronization

/// A PostgreSQL server for tests, in a temporary folder that is removed with it.
///
/// It behaves like `EmbeddedPostgres` (commits are durable), but can be killed and restarted.
public final class TemporaryPostgres: Sendable {
    private let server: EmbeddedPostgres
    private let databases = Atomic(0)

    private static let shared = Result { () throws(EmbeddedPostgresError) in
        let server = try TemporaryPostgres()
        atexit { try? TemporaryPostgres.sharedIfStarted?.stop() }
        return server
    }

    private static var sharedIfStarted: TemporaryPostgres? { try? shared.get() }

    /// The shared server of this process, started on first use and removed at exit. Do not kill it: other tests use it.
    public static func sharedServer() throws(EmbeddedPostgresError) -> TemporaryPostgres { try shared.get() }

    /// Creates a cluster and starts its server, which takes a second or two.
    ///
    /// Removes servers and folders of killed processes first.
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

    /// The libpq URL of the database `postgres`.
    public var url: String { server.url }

    /// The pid of the server's main process; nil when it is not running.
    public var postmasterPID: Int32? { server.postmasterPID }

    /// The server's log file.
    public var logFile: String { server.dataDirectory + "/postgres.log" }

    /// Creates an empty database with a new name, and returns its URL.
    public func createDatabase() throws -> String {
        let name = "test_\(databases.add(1, ordering: .relaxed).newValue)"
        let connection = try PostgresConnection(server.url, applicationName: "tests")
        defer { connection.close() }
        try connection.execute("CREATE DATABASE \(name)")
        return server.url(database: name)
    }

    /// Kills the server's main process with SIGKILL and waits for it. Its sessions end by themselves soon.
    public func kill9() {
        guard let pid = server.postmasterPID else { return }
        kill(pid, SIGKILL)
        _ = Wait.until(seconds: 10) { !server.isRunning }
    }

    /// Restarts the server after `kill9()`, on the same address. It recovers.
    public func restart() throws(EmbeddedPostgresError) { try server.start() }

    /// Stops and restarts the server, on the same address.
    public func stopAndRestart(mode: EmbeddedPostgres.StopMode = .fast) throws(EmbeddedPostgresError) {
        try server.stop(mode: mode)
        try server.start()
    }

    /// Stops the server and removes its folder. Safe to repeat.
    public func stop() throws(EmbeddedPostgresError) {
        try server.stop(mode: .immediate)
        try Files.remove(server.dataDirectory)
    }
}

/// Folders below `/tmp` whose names contain the pid of their process.
enum TemporaryFolder {
    private static let prefix = "sagamore-test-"

    static func make() throws(EmbeddedPostgresError) -> String {
        var template = Array("/tmp/\(prefix)\(getpid())-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Files.failure("can't make a folder in /tmp") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The database's user must be able to traverse it.
        chmod(path, 0o711)
        return path
    }

    /// Stops and removes what ended processes left behind.
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
