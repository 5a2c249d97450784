internal import Glibc
internal import SagamoreThreads

/// A private PostgreSQL server in its own folder, reachable only through a Unix socket.
///
/// Commits are durable. The server survives a `kill -9` of this process. The next start on the same folder stops it, so
/// that no session of the dead process is left, and starts a new one. Calls block and are serialized.
public final class EmbeddedPostgres: Sendable {
    /// How the server is stopped.
    public enum StopMode: Sendable {
        /// Ends sessions and writes a checkpoint: the next start has nothing to recover.
        case fast
        /// Stops at once; the next start recovers.
        case immediate
    }

    /// The durability of the files.
    package enum Care: Sendable {
        /// Everything is flushed to disk.
        case durable
        /// A new cluster is not flushed after its creation: for short-lived folders.
        case temporary
    }

    private struct Running {
        let place: ClusterPlace
        let socketFolder: String
        let child: ChildProcess
        let lock: FolderLock

        var postmaster: Postmaster { Postmaster(cluster: place.cluster) }
    }

    /// The number in the socket's name.
    static let port = 5432
    /// The superuser, created with the cluster.
    static let role = "sagamore"

    /// The folder that the caller named.
    public let dataDirectory: String
    private let settings: [String: String]
    private let care: Care
    private let log: @Sendable (String) -> Void
    private let running = Locked<Running?>(nil)

    /// Describes a server; `start()` runs it.
    ///
    /// - Parameters:
    ///   - dataDirectory: the cluster's folder, created if missing and used for nothing else. When root runs this and
    ///     the
    ///     database's user cannot access the folder, the files are in `/var/lib/sagamore` or `/tmp`, and the file
    ///     `postgres-location` in the folder says where.
    ///   - settings: PostgreSQL settings that override the defaults.
    ///   - log: receives a line for people about each unusual event.
    public convenience init(
        dataDirectory: String,
        settings: [String: String] = [:],
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.init(dataDirectory: dataDirectory, settings: settings, care: .durable, log: log)
    }

    package init(
        dataDirectory: String,
        settings: [String: String],
        care: Care,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.dataDirectory = dataDirectory
        self.settings = settings
        self.care = care
        self.log = log
    }

    deinit { try? stop(mode: .fast) }

    /// Creates the cluster if necessary, stops a server left behind by a killed process, starts the server and waits
    /// until it accepts connections. Does nothing when it is running.
    public func start() throws(EmbeddedPostgresError) {
        try running.withLock { running throws(EmbeddedPostgresError) in
            if let current = running {
                if current.child.isRunning { return }
                running = nil
                log("PostgreSQL exited unexpectedly: \(ChildProcess.lastWords(current.place.log))")
            }
            running = try launch()
        }
    }

    /// The libpq URL for user `sagamore` and database `postgres`. Empty unless started.
    public var url: String { url(database: "postgres") }

    /// The libpq URL of another database of this server. Empty unless started.
    package func url(database: String) -> String {
        let folder = running.withLock { $0?.socketFolder }
        guard let folder else { return "" }
        let host = folder.replacing("/", with: "%2F")
        return "postgresql://\(Self.role)@/\(Self.percentEncoded(database))?host=\(host)&port=\(Self.port)"
    }

    /// The pid of the server's main process; nil when it is not running.
    public var postmasterPID: Int32? { running.withLock { $0?.postmaster.pid } }

    /// Whether the server is running. False after it was killed; `start()` restarts it.
    public var isRunning: Bool { running.withLock { $0?.child.isRunning ?? false } }

    /// Stops the server and unlocks the folder. Safe to repeat.
    public func stop(mode: StopMode = .fast) throws(EmbeddedPostgresError) {
        try running.withLock { running throws(EmbeddedPostgresError) in
            guard let current = running else { return }
            try Self.halt(current, mode)
            running = nil
        }
    }

    /// Stops the server and removes the cluster's files. Other files in the data folder stay.
    public func wipe() throws(EmbeddedPostgresError) {
        try stop(mode: .immediate)
        guard let folder = Files.realPath(dataDirectory) else { return }
        let lock = try FolderLock(folder)
        let place = try ClusterPlace.find(folder, log: { _ in })
        try Postmaster(cluster: place.cluster).end(SIGQUIT, patience: 5)
        try place.wipe()
        try Files.remove(folder + "/postgres.lock")
        withExtendedLifetime(lock) {}
    }

    private static func halt(_ running: Running, _ mode: StopMode) throws(EmbeddedPostgresError) {
        switch mode {
        case .fast: try running.postmaster.end(SIGINT, patience: 30)
        case .immediate: try running.postmaster.end(SIGQUIT, patience: 5)
        }
        // The child is the server, or runuser or su, which end right after it.
        let child = running.child
        _ = Wait.until(seconds: 5) { !child.isRunning }
        try Files.remove(running.socketFolder)
    }

    // MARK: - Starting

    private func launch() throws(EmbeddedPostgresError) -> Running {
        // Another database user must be able to traverse the folder.
        try Files.makeFolder(dataDirectory, mode: geteuid() == 0 ? 0o711 : 0o700)
        guard let folder = Files.realPath(dataDirectory) else { throw Files.failure("cannot find \(dataDirectory)") }
        let lock = try FolderLock(folder)
        let place = try ClusterPlace.find(folder, log: log)
        let postmaster = Postmaster(cluster: place.cluster)
        let version = Files.text(place.cluster + "/PG_VERSION").flatMap { Int($0.prefix(while: \.isNumber)) }
        let programs = try PostgresPrograms.find(major: version)
        if let version, let installed = programs.major, installed != version {
            throw EmbeddedPostgresError(
                .version,
                """
                the database in \(place.cluster) was made by PostgreSQL \(version), but \(installed) is installed: \
                install postgresql-\(version), or remove the data folder to begin anew
                """
            )
        }
        if try postmaster.end(SIGINT, patience: 10) {
            log("stopped a PostgreSQL that an earlier process left running in \(place.cluster)")
        }
        if version == nil { try makeCluster(place, programs) }
        // No process of this cluster is left, so the file is stale, and its pid may belong to another process by now.
        try Files.remove(place.cluster + "/postmaster.pid")
        let socketFolder = try place.makeSocketFolder()
        let settings = ServerSettings(socketFolder: socketFolder, additional: settings)
        try Files.write(settings.file, to: place.cluster + "/postgresql.conf", mode: 0o644)
        rotate(place.log)
        let command = try place.user.command(running: [programs.postgres, "-D", place.cluster])
        let child = try ChildProcess(command, output: place.log)
        do throws(EmbeddedPostgresError) {
            try awaitReadiness(postmaster, child, place)
        } catch {
            _ = try? postmaster.end(SIGQUIT, patience: 5)
            _ = Wait.until(seconds: 5) { !child.isRunning }
            try? Files.remove(socketFolder)
            throw error
        }
        return Running(place: place, socketFolder: socketFolder, child: child, lock: lock)
    }

    private func makeCluster(_ place: ClusterPlace, _ programs: PostgresPrograms) throws(EmbeddedPostgresError) {
        if Files.status(place.cluster) != nil {
            throw EmbeddedPostgresError(.folder, "\(place.cluster) exists but is not a PostgreSQL cluster")
        }
        // A killed process may have left a partial one. Only a finished cluster gets the final name.
        try Postmaster(cluster: place.unfinishedCluster).end(SIGKILL, patience: 5)
        try Files.remove(place.unfinishedCluster)
        try Files.makeFolder(place.unfinishedCluster, mode: 0o700)
        try place.give(place.unfinishedCluster)
        var command = [
            programs.initdb, "-D", place.unfinishedCluster, "--encoding=UTF8", "--locale=C",
            "--username=\(Self.role)", "--auth-local=trust", "--auth-host=reject", "--no-instructions",
        ]
        if care == .temporary { command.append("--no-sync") }
        try ChildProcess.run(try place.user.command(running: command), output: place.log)
        guard rename(place.unfinishedCluster, place.cluster) == 0 else {
            throw Files.failure("cannot rename \(place.unfinishedCluster)")
        }
        // Commits are only as durable as the name of their folder.
        if care != .temporary { try Files.synchronize(folder: place.home) }
    }

    private func awaitReadiness(
        _ postmaster: Postmaster,
        _ child: ChildProcess,
        _ place: ClusterPlace
    ) throws(EmbeddedPostgresError) {
        // A recovery may have to read max_wal_size of WAL.
        for attempt in 1...30 {
            var hasEnded = false
            let isDone = Wait.until(seconds: 10) {
                hasEnded = !child.isRunning
                return hasEnded || postmaster.note?.isReady ?? false
            }
            if hasEnded {
                throw EmbeddedPostgresError(
                    .process,
                    "PostgreSQL did not start: \(ChildProcess.lastWords(place.log))"
                )
            }
            if isDone { return }
            log("still waiting for PostgreSQL to accept connections (\(attempt * 10) s; see \(place.log))")
        }
        throw EmbeddedPostgresError(.process, "PostgreSQL accepted no connections within 300 s; see \(place.log)")
    }

    private func rotate(_ file: String) {
        var status = stat()
        if stat(file, &status) == 0, status.st_size > 1 << 20 { rename(file, file + ".1") }
    }

    private static func percentEncoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { encoded, byte in
            let character = Character(UnicodeScalar(byte))
            if character.isASCII, character.isLetter || character.isNumber || character == "_" {
                encoded.append(character)
            } else {
                encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }
}
