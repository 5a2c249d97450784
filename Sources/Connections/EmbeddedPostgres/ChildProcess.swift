internal import FoundationEssentials
internal import Glibc

/// A child process.
///
/// It runs in its own session, so a terminal's Ctrl-C or hang-up does not reach it, with no signals blocked or ignored.
/// It inherits no descriptors: a listening socket must not outlive this process. Its working folder is `/`, and its
/// environment has no PG… variables.
struct ChildProcess: Sendable {
    let pid: Int32

    /// Starts `command` (an absolute path and its arguments) with both outputs appended to the file `output`.
    init(_ command: [String], output: String) throws(EmbeddedPostgresError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A margin above the highest open descriptor: other threads open files too.
        let highest = Files.names(in: "/proc/self/fd").compactMap { Int32($0) }.max() ?? 256
        for descriptor in 3...max(highest + 64, 256) { posix_spawn_file_actions_addclose(&actions, descriptor) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, which Swift does not import
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | newSession))

        // The shell execs the program. The child's user may lack access to the current folder.
        let wrapped = ["/bin/sh", "-c", "cd / && exec \"$0\" \"$@\""] + command
        var arguments = wrapped.map { strdup($0) }
        arguments.append(nil)
        var environment = Self.environment().map { strdup("\($0.key)=\($0.value)") }
        environment.append(nil)
        defer { for text in arguments + environment { free(text) } }
        var pid: Int32 = 0
        let failure = posix_spawn(&pid, wrapped[0], &actions, &attributes, arguments, environment)
        guard failure == 0 else {
            throw EmbeddedPostgresError(.process, "cannot start \(command[0]): \(String(cString: strerror(failure)))")
        }
        self.pid = pid
    }

    /// Runs `command` to completion. Throws with the end of its output when it fails.
    static func run(_ command: [String], output: String) throws(EmbeddedPostgresError) {
        let child = try ChildProcess(command, output: output)
        var status: Int32 = 0
        while waitpid(child.pid, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else {
            let name = command.first { $0.contains("/postgresql/") } ?? command[0]
            throw EmbeddedPostgresError(.process, "\(name) failed: \(lastWords(output))")
        }
    }

    /// Whether it is running. Reaps it when it has ended.
    var isRunning: Bool {
        var status: Int32 = 0
        return waitpid(pid, &status, WNOHANG) == 0
    }

    /// The last lines of a log file, for an error message.
    static func lastWords(_ file: String) -> String {
        let lines = (Files.text(file) ?? "").split(separator: "\n").suffix(8)
        return lines.isEmpty ? "no output" : lines.joined(separator: " | ")
    }

    private static func environment() -> [String: String] {
        let own = ProcessInfo.processInfo.environment
        var environment = ["LC_ALL": "C", "LANG": "C", "TZ": "UTC", "HOME": "/"]
        for name in ["PATH", "LD_LIBRARY_PATH"] { environment[name] = own[name] }
        // Otherwise the C library returns memory to the system after each short transaction, only to request it again.
        environment["MALLOC_TRIM_THRESHOLD_"] = "\(4 << 20)"
        environment["MALLOC_TOP_PAD_"] = "\(1 << 20)"
        return environment
    }
}
