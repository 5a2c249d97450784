internal import Glibc
internal import SagamoreThreads

/// A private PostgreSQL server: a real one, in a folder of its own, reached through a socket only.
///
/// Commits are durable. The server outlives a `kill -9` of this process; the next start on the same folder finds it,
/// stops it (so that no session of the dead process is left) and starts anew. Calls block and exclude each other.
public final class EmbeddedPostgres: Sendable {
    /// How the server is stopped.
    public enum StopMode: Sendable {
        /// Sessions are ended, memory is written: the next start has nothing to recover.
        case fast
        /// At once; the next start recovers.
        case immediate
    }

    /// How the files are treated.
    package enum Care: Sendable {
        /// Everything reaches the disk.
        case durable
        /// A new cluster is not synchronized after its making: for folders that live shortly.
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
    /// The superuser, made with the cluster.
    static let role = "sagamore"

    /// The folder that the caller named.
    public let dataDirectory: String
    private let settings: [String: String]
    private let care: Care
    private let log: @Sendable (String) -> Void
    private let running = Locked<Running?>(nil)

    /// Describes a server; `start()` makes it run.
    ///
    /// - Parameters:
    ///   - dataDirectory: the cluster's folder; made when missing, and used for nothing else. As root, when the
    ///     database's user can't reach it, the files go to `/var/lib/sagamore` or `/tmp`, and a file
    ///     `postgres-location` in it says where.
    ///   - settings: PostgreSQL settings that replace the usual ones.
    ///   - log: takes one line for people about each thing that is not routine.
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

    /// Makes the cluster if there is none, stops a server that a killed process left, starts the server and waits until
    /// it takes connections. Nothing happens when it runs already.
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

    /// Where to connect, as libpq wants it: user `sagamore`, database `postgres`. Empty unless started.
    public var url: String { url(database: "postgres") }

    /// Where to connect to another database of this server. Empty unless started.
    package func url(database: String) -> String {
        let folder = running.withLock { $0?.socketFolder }
        guard let folder else { return "" }
        let host = folder.replacing("/", with: "%2F")
        return "postgresql://\(Self.role)@/\(Self.percentEncoded(database))?host=\(host)&port=\(Self.port)"
    }

    /// The server's main process; nil when it doesn't run.
    public var postmasterPID: Int32? { running.withLock { $0?.postmaster.pid } }

    /// Whether the server runs. False after it was killed; `start()` brings it back.
    public var isRunning: Bool { running.withLock { $0?.child.isRunning ?? false } }

    /// Stops the server and gives the folder free. Safe to repeat.
    public func stop(mode: StopMode = .fast) throws(EmbeddedPostgresError) {
        try running.withLock { running throws(EmbeddedPostgresError) in
            guard let current = running else { return }
            try Self.halt(current, mode)
            running = nil
        }
    }

    /// Stops the server and removes the cluster's files. What else is in the data folder stays.
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
        // setpriv became the server; runuser and su end right after it.
        let child = running.child
        _ = Wait.until(seconds: 5) { !child.isRunning }
        try Files.remove(running.socketFolder)
    }

    // MARK: - Starting

    private func launch() throws(EmbeddedPostgresError) -> Running {
        // Others must be able to pass through when the database's user is somebody else.
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
        // No process of this cluster is left, so these are, and their process numbers may be somebody else's by now.
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
        // A killed process may have left half of one; only a finished cluster gets the final name.
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
        // Commits are only as durable as the name of the folder that they are in.
        if care != .temporary { try Files.synchronize(folder: place.home) }
    }

    private func awaitReadiness(
        _ postmaster: Postmaster,
        _ child: ChildProcess,
        _ place: ClusterPlace
    ) throws(EmbeddedPostgresError) {
        // A recovery reads up to max_wal_size of log.
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
