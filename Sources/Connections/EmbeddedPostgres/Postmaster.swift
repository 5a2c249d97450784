internal import FoundationEssentials
internal import Glibc

/// What the cluster's folder and the system tell about the processes that serve it.
package struct Postmaster: Equatable {
    /// PostgreSQL's note about its running server.
    package struct Note: Equatable {
        let pid: Int32
        /// Where its sockets are.
        package let socketFolder: String
        /// Whether it takes connections.
        let isReady: Bool

        /// Reads the lines of `postmaster.pid`: pid, data folder, start, port, socket folder, address, memory, status.
        init?(_ text: String) {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            guard let first = lines.first, let pid = Int32(first), pid > 1 else { return nil }
            self.pid = pid
            socketFolder = lines.count > 4 ? String(lines[4]) : ""
            isReady = lines.count > 7 && lines[7].hasPrefix("ready")
        }
    }

    /// The cluster's folder, with all links followed: processes are recognized by it.
    let cluster: String

    package init(cluster: String) { self.cluster = cluster }

    /// The server's own note; may be left over from one that was killed.
    package var note: Note? { Files.text(cluster + "/postmaster.pid").flatMap { Note($0) } }

    /// All processes of PostgreSQL that have this cluster for their working folder, as its servers always do.
    var processes: [Int32] {
        Files.names(in: "/proc").compactMap { Int32($0) }.filter(isOurs)
    }

    /// Whether a process is one of this cluster. A zombie has no working folder, so it is none any more.
    func isOurs(_ pid: Int32) -> Bool {
        guard Files.text("/proc/\(pid)/comm")?.hasPrefix("postgres") ?? false else { return false }
        if let folder = Self.link("/proc/\(pid)/cwd") { return folder == cluster }
        // A root of little power, as in most containers, may not see the working folders of other users' processes.
        return errno == EACCES && (isServer(pid) || Self.parent(of: pid).map(isServer) ?? false)
    }

    /// Whether a process was started as this cluster's server. Its children have other command lines.
    private func isServer(_ pid: Int32) -> Bool {
        guard let words = Files.text("/proc/\(pid)/cmdline") else { return false }
        return Self.isServer(commandLine: words, of: cluster)
    }

    /// - Parameter words: a command line as Linux shows it, with a NUL behind each word.
    static func isServer(commandLine words: String, of cluster: String) -> Bool {
        let words = words.split(separator: "\0")
        guard words.first?.hasSuffix("postgres") ?? false, let flag = words.firstIndex(of: "-D") else { return false }
        return words.dropFirst(flag + 1).first.map(String.init) == cluster
    }

    private static func parent(of pid: Int32) -> Int32? {
        // The name before it may hold blanks and brackets.
        guard let text = Files.text("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    /// The server's main process, if it runs.
    var pid: Int32? {
        guard let note, isOurs(note.pid) else { return nil }
        return note.pid
    }

    /// Ends every process of this cluster: the main one by `signal`, and when that does not help within `patience`
    /// seconds by SIGQUIT, then all by SIGKILL. False when nothing ran.
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

/// Waiting for something that only asking can tell.
package enum Wait {
    /// Asks every 5 ms until `condition` holds; false when it does not within `seconds`.
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
