internal import Glibc

/// Holds a data folder for this process. The kernel lets it go when the process ends, however it ends.
package final class FolderLock: Sendable {
    private let file: Int32

    /// Takes the lock; throws `.inUse` when a live process has it.
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
