internal import Glibc
internal import SagamoreThreads

/// A child process that ends with this process, even when this process is killed.
///
/// A shell starts the program and waits on a pipe that only this process holds open. When this process ends, the pipe
/// closes, and the shell kills the program and removes its folder.
final class GuardedProcess: Sendable {
    private static let script = """
        folder=$1; log=$2; shift 2
        "$@" >>"$log" 2>&1 </dev/null &
        child=$!
        echo $child
        read -r order
        case "$order" in stop) kill $child ;; *) kill -9 $child ;; esac
        wait $child
        status=$?
        [ -n "$order" ] || rm -rf "$folder"
        exit $status
        """

    /// The program's process id, not the shell's.
    let identifier: pid_t
    private let shell: pid_t
    private let orders: Locked<Int32?>

    /// - Parameter folder: removed when this process ends without ``end(_:)``.
    init?(_ program: [String], folder: String, log: String) {
        var input: (read: Int32, write: Int32) = (0, 0)
        var output: (read: Int32, write: Int32) = (0, 0)
        guard Self.pipe(&input), Self.pipe(&output) else { return nil }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, input.read, 0)
        posix_spawn_file_actions_adddup2(&actions, output.write, 1)
        // Discard the shell's message that its child was killed.
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        // A process group of its own, so that Ctrl-C reaches only this process. It inherits no blocked or ignored
        // signals.
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
        )
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGPIPE, SIGINT, SIGTERM] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var arguments = (["/bin/sh", "-c", Self.script, "guard", folder, log] + program).map { strdup($0) } + [nil]
        var shell: pid_t = 0
        let status = posix_spawn(&shell, "/bin/sh", &actions, &attributes, &arguments, environ)
        for argument in arguments { free(argument) }
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
        close(input.read)
        close(output.write)
        let child = status == 0 ? Self.number(from: output.read) : nil
        close(output.read)
        guard let child else {
            close(input.write)
            return nil
        }
        identifier = child
        self.shell = shell
        orders = Locked(input.write)
    }

    /// Whether the program is still running.
    var isRunning: Bool {
        // The state follows the name, which is in parentheses. Z is a zombie: ended, but not waited for.
        guard let file = fopen("/proc/\(identifier)/stat", "r") else { return false }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = fread(&bytes, 1, bytes.count, file)
        let line = bytes.prefix(count)
        guard let bracket = line.lastIndex(of: UInt8(ascii: ")")), bracket + 2 < line.endIndex else { return false }
        return line[bracket + 2] != UInt8(ascii: "Z")
    }

    /// How to end the program.
    enum End: String { case stop, kill }

    /// Ends the program and waits for it. May be repeated.
    func end(_ how: End) {
        let pipe = orders.withLock { orders in
            defer { orders = nil }
            return orders
        }
        guard let pipe else { return }
        let order = how.rawValue + "\n"
        _ = order.withCString { write(pipe, $0, strlen($0)) }
        var status: Int32 = 0
        while waitpid(shell, &status, 0) < 0, errno == EINTR {}
        close(pipe)
    }

    private static func pipe(_ ends: inout (read: Int32, write: Int32)) -> Bool {
        // Sockets set close-on-exec atomically, so no other child inherits this end.
        var files: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &files) == 0 else { return false }
        ends = (files[0], files[1])
        return true
    }

    private static func number(from file: Int32) -> pid_t? {
        var text: [UInt8] = []
        var byte: UInt8 = 0
        while read(file, &byte, 1) == 1, byte != UInt8(ascii: "\n") { text.append(byte) }
        return pid_t(String(decoding: text, as: UTF8.self))
    }
}
