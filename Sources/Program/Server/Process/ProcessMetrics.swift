internal import Glibc
internal import SagamoreMetrics

/// What Prometheus' own libraries tell of a process, by the same names.
enum ProcessMetrics {
    static func register(in registry: MetricsRegistry) {
        let began = Double(time(nil))
        registry.ask("process_start_time_seconds", "When the process began, in seconds since 1970.") { [([], began)] }
        registry.ask("process_cpu_seconds", "CPU time of the process.", kind: "counter") { [([], cpuSeconds)] }
        registry.ask("process_resident_memory_bytes", "Memory of the process that is in RAM.") {
            residentBytes.map { [([], $0)] } ?? []
        }
        registry.ask("process_open_fds", "Open files and sockets.") { openFiles.map { [([], $0)] } ?? [] }
    }

    private static var cpuSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        return seconds + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    /// The second number of `statm`, in pages. Nil where there is no `/proc`.
    private static var residentBytes: Double? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let words = text.split(separator: " ")
        guard words.count > 1, let pages = Double(words[1]) else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static var openFiles: Double? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0.0
        while readdir(folder) != nil { count += 1 }
        // Without ".", "..", and the folder itself.
        return max(0, count - 3)
    }
}
