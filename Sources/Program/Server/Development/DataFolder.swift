internal import FoundationEssentials
internal import Glibc
internal import SagamoreEmbeddedPostgres

/// The data folder of `sagamore dev`, locked for this process while the object exists.
final class DataFolder {
    /// The absolute path.
    let path: String
    /// Whether it is removed at exit.
    let isEphemeral: Bool
    private var lock: Int32 = -1

    /// The prefix of folders of `--ephemeral` without `--data-dir`.
    private static let ephemeralPrefix = "sagamore-dev-"
    /// Marks folders that are removed at exit.
    private static let marker = "dev.ephemeral"
    private static let lockName = "dev.lock"

    /// Creates the folder if necessary and locks it.
    ///
    /// - Throws: `dataFolder` when it cannot be created, or another process uses it.
    init(_ configuration: DevConfiguration) throws(ServerError) {
        isEphemeral = configuration.isEphemeral
        if let named = configuration.dataFolder {
            path = try Self.make(named)
        } else {
            Self.removeLeftOvers()
            var template = Array("/tmp/\(Self.ephemeralPrefix)XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw Self.failure("cannot create a folder in /tmp") }
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            chmod(path, Self.mode)
        }
        guard take() else {
            let holder = DevFile.read(in: path).map { " (process \($0.pid), gRPC on \($0.grpc))" } ?? ""
            throw .dataFolder(
                "another 'sagamore dev' is using \(path)\(holder): stop it, or choose another folder with --data-dir"
            )
        }
        if isEphemeral { try begin() }
    }

    /// Makes sure that the folder holds nothing that should survive its removal at exit.
    private func begin() throws(ServerError) {
        let marker = path + "/" + Self.marker
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        if names.contains(Self.marker) {
            // Left behind by a killed process.
            try? EmbeddedPostgres(dataDirectory: postgres).wipe()
            for name in names where name != Self.lockName {
                try? FileManager.default.removeItem(atPath: path + "/" + name)
            }
        } else if names.contains(where: { $0 != Self.lockName }) {
            throw .dataFolder(
                "--ephemeral removes its data folder at exit, and \(path) is not empty: choose a new folder"
            )
        }
        guard FileManager.default.createFile(atPath: marker, contents: nil) else {
            throw Self.failure("cannot write \(marker)")
        }
    }

    deinit {
        if lock >= 0 { close(lock) }
    }

    /// The folder of the private database.
    var postgres: String { path + "/postgres" }

    /// Removes the folder if it is ephemeral.
    func removeIfEphemeral() {
        if isEphemeral { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Locks the folder. The kernel releases the lock when the process ends, even by SIGKILL.
    private func take() -> Bool {
        lock = open(path + "/" + Self.lockName, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        return lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0
    }

    /// With root, the database's user must be able to traverse the folder.
    private static var mode: mode_t { geteuid() == 0 ? 0o711 : 0o700 }

    private static func make(_ folder: String) throws(ServerError) -> String {
        if mkdir(folder, mode) == 0 {
            chmod(folder, mode)
        } else if errno != EEXIST {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: Int(mode)]
                )
            } catch {
                throw failure("cannot create the folder \(folder)")
            }
        }
        guard let real = realpath(folder, nil) else { throw failure("cannot use the folder \(folder)") }
        defer { free(real) }
        let path = String(cString: real)
        guard access(path, W_OK) == 0 else { throw failure("cannot write to \(path)") }
        return path
    }

    private static func failure(_ text: String) -> ServerError {
        .dataFolder("\(text): \(String(cString: strerror(errno)))")
    }

    /// Stops and removes what killed processes left behind.
    private static func removeLeftOvers() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? []
        for name in names where name.hasPrefix(ephemeralPrefix) {
            let path = "/tmp/" + name
            var status = stat()
            guard lstat(path, &status) == 0, status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFDIR else {
                continue
            }
            let file = open(path + "/" + lockName, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
            guard file >= 0 else { continue }
            defer { close(file) }
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else { continue }
            try? EmbeddedPostgres(dataDirectory: path + "/postgres").wipe()
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}
