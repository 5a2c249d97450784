internal import Glibc

extension ServerConfiguration {
    /// Half the cores, at least 1 and at most 16: one lane commits some 20,000 transitions a second, and fewer lanes
    /// make fuller batches.
    public static var defaultShardCount: Int {
        min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2, 1), 16)
    }

    /// The name of this machine.
    public static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A name that no other process has: its number and a random part.
    public static func processName() -> String {
        "\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }
}
