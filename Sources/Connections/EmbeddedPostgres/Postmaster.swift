internal import FoundationEssentials
internal import Glibc

/// The processes of a cluster, as found in its folder and in `/proc`.
package struct Postmaster: Equatable {
    /// The contents of `postmaster.pid`.
    package struct Note: Equatable {
        let pid: Int32
        /// The folder of its sockets.
        package let socketFolder: String
        /// Whether it accepts connections.
        let isReady: Bool

        /// Parses `postmaster.pid`: pid, data folder, start, port, socket folder, address, memory, status.
        init?(_ text: String) {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            guard let first = lines.first, let pid = Int32(first), pid > 1 else { return nil }
            self.pid = pid
            socketFolder = lines.count > 4 ? String(lines[4]) : ""
            isReady = lines.count > 7 && lines[7].hasPrefix("ready")
        }
    }

    /// The cluster's folder with all links resolved, which identifies its processes.
    let cluster: String

    package init(cluster: String) { self.cluster = cluster }

    /// The contents of `postmaster.pid`, which a killed server leaves behind.
    package var note: Note? { Files.text(cluster + "/postmaster.pid").flatMap { Note($0) } }

    /// All PostgreSQL processes whose working folder is this cluster, as it is for its servers.
    var processes: [Int32] {
        Files.names(in: "/proc").compactMap { Int32($0) }.filter(isOurs)
    }

    /// Whether a process belongs to this cluster. A zombie has no working folder, so it does not.
    func isOurs(_ pid: Int32) -> Bool {
        guard Files.text("/proc/\(pid)/comm")?.hasPrefix("postgres") ?? false else { return false }
        if let folder = Self.link("/proc/\(pid)/cwd") { return folder == cluster }
        // Without CAP_SYS_PTRACE, as in most containers, root cannot see the working folders of other users' processes.
        return errno == EACCES && (isServer(pid) || Self.parent(of: pid).map(isServer) ?? false)
    }

    /// Whether a process is this cluster's postmaster. Its children have other command lines.
    private func isServer(_ pid: Int32) -> Bool {
        guard let words = Files.text("/proc/\(pid)/cmdline") else { return false }
        return Self.isServer(commandLine: words, of: cluster)
    }

    /// - Parameter words: a command line from `/proc`, with a NUL after each word.
    static func isServer(commandLine words: String, of cluster: String) -> Bool {
        let words = words.split(separator: "\0")
        guard words.first?.hasSuffix("postgres") ?? false, let flag = words.firstIndex(of: "-D") else { return false }
        return words.dropFirst(flag + 1).first.map(String.init) == cluster
    }

    private static func parent(of pid: Int32) -> Int32? {
        // The preceding name may contain blanks and parentheses.
        guard let text = Files.text("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    /// The postmaster, if it is running.
    var pid: Int32? {
        guard let note, isOurs(note.pid) else { return nil }
        return note.pid
    }

    /// Ends every process of this cluster: the postmaster by `signal`, after `patience` seconds by SIGQUIT, and finally
    /// all processes by SIGKILL. Returns false when none was running.
    @discardableResult
    package func end(_ signal: Int32, patience: Double) throws(EmbeddedPostgresError) -> Bool {
        var wasRunning = false
        for (signal, patience) in [(signal, patience), (SIGQUIT, 5), (SIGKILL, 10)] {
            let running = processes
            if running.isEmpty { return wasRunning }
            wasRunning = true
            if signal != SIGKILL, let pid {
                kill(pid, signal)
            } else {
                for pid in running { kill(pid, signal) }
            }
            _ = Wait.until(seconds: patience) { !running.contains(where: isOurs) }
        }
        if processes.isEmpty { return true }
        throw EmbeddedPostgresError(.process, "failed to stop the PostgreSQL processes in \(cluster)")
    }

    private static func link(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            guard let address = buffer.baseAddress else { return nil }
            let count = readlink(path, address, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(buffer).prefix(count), as: UTF8.self)
        }
    }
}

/// Polls for a condition.
package enum Wait {
    /// Polls every 5 ms until `condition` holds. Returns false on timeout.
    package static func until(seconds: Double, _ condition: () -> Bool) -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(seconds)
        while !condition() {
            if clock.now >= deadline { return false }
            usleep(5_000)
        }
        return true
    }
}
