internal import CSagamoreAllocator
internal import Glibc

/// The memory of this process, and the allocator's settings.
public enum ProcessMemory {
    /// The resident memory in bytes; nil when it is unknown.
    static var resident: Int? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            .split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// The CPU time of all threads since the process started.
    static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Returns all free whole pages of every arena to the system.
    static func reclaim() { malloc_trim(0) }

    /// Limits the arenas that threads allocate from to two per processor, four at least. glibc's own limit is eight per
    /// processor; each arena keeps its own free pages. Has an effect only before the first thread starts.
    public static func limitArenas() {
        mallopt(M_ARENA_MAX, Int32(max(4, 2 * sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    }
}
