internal import FoundationEssentials
internal import Glibc

/// File operations whose errors name the file.
package enum Files {
    /// The result of `lstat`.
    package struct Status {
        package var owner: UInt32
        var group: UInt32
        var mode: UInt32
        var isFolder: Bool { mode & S_IFMT == S_IFDIR }
    }

    /// The path with all links resolved; nil when it does not exist.
    static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    /// The status of `path`, without following a link; nil when it does not exist.
    package static func status(_ path: String) -> Status? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return Status(owner: status.st_uid, group: status.st_gid, mode: status.st_mode)
    }

    /// The names in a folder; empty when it does not exist.
    package static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    /// The contents of a small text file; nil when it cannot be read.
    ///
    /// Foundation leaks memory for files below `/proc`, which are read often here.
    static func text(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        return withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
            while true {
                let count = read(file, buffer.baseAddress, buffer.count)
                if count < 0 { return nil }
                if count == 0 { return String(decoding: bytes, as: UTF8.self) }
                bytes.append(contentsOf: buffer.prefix(count))
            }
        }
    }

    /// Flushes a folder's entries to disk.
    static func synchronize(folder: String) throws(EmbeddedPostgresError) {
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw failure("cannot open \(folder)") }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failure("cannot sync \(folder) to disk") }
    }

    /// Writes a file atomically.
    static func write(_ text: String, to path: String, mode: UInt32) throws(EmbeddedPostgresError) {
        let new = path + ".new"
        unlink(new)
        let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("cannot write \(new)") }
        var text = text
        let isWritten = text.withUTF8 { utf8 in Glibc.write(file, utf8.baseAddress, utf8.count) == utf8.count }
        let isSafe = isWritten && fchmod(file, mode) == 0 && fsync(file) == 0
        close(file)
        guard isSafe, rename(new, path) == 0 else { throw failure("cannot write \(path)") }
    }

    /// Creates a folder and its parents unless it exists. New ones get `mode`, regardless of the umask.
    static func makeFolder(_ path: String, mode: UInt32) throws(EmbeddedPostgresError) {
        if mkdir(path, mode) == 0 {
            chmod(path, mode)
            return
        }
        switch errno {
        case EEXIST:
            var target = stat()
            guard stat(path, &target) == 0, target.st_mode & S_IFMT == S_IFDIR else {
                throw EmbeddedPostgresError(.folder, "\(path) exists but is not a folder")
            }
        case ENOENT where path.contains("/"):
            let parent = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
            guard !parent.isEmpty else { throw failure("cannot create \(path)") }
            try makeFolder(String(parent), mode: mode)
            try makeFolder(path, mode: mode)
        default:
            throw failure("cannot create the folder \(path)")
        }
    }

    /// Removes `path` recursively, if it exists.
    package static func remove(_ path: String) throws(EmbeddedPostgresError) {
        guard status(path) != nil else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            // Another process may have removed a part of it concurrently.
            guard status(path) != nil else { return }
            throw EmbeddedPostgresError(.folder, "cannot remove \(path): \(error)")
        }
    }

    /// An error with the system's error message.
    package static func failure(_ text: String) -> EmbeddedPostgresError {
        EmbeddedPostgresError(.folder, "\(text): \(String(cString: strerror(errno)))")
    }

    /// A short name derived from a path: 16 hexadecimal digits (FNV-1a).
    static func digest(_ path: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Locks a data folder for this process. The kernel releases the lock when the process ends, even by SIGKILL.
package final class FolderLock: Sendable {
    private let file: Int32

    /// Acquires the lock. Throws `.inUse` when another process holds it.
    package init(_ folder: String) throws(EmbeddedPostgresError) {
        let path = folder + "/postgres.lock"
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw Files.failure("cannot open \(path)") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Files.text(path)?.split(separator: "\n").first.map { " (process \($0))" } ?? ""
            close(file)
            throw EmbeddedPostgresError(.inUse, "\(folder) is in use by another process\(holder)")
        }
        ftruncate(file, 0)
        var text = "\(getpid())\n"
        text.withUTF8 { utf8 in _ = write(file, utf8.baseAddress, utf8.count) }
    }

    deinit { close(file) }
}
