internal import Foundation
internal import SagamoreEngine
internal import SagamoreThreads

/// The time zones of the IANA database that the system has installed.
enum SystemTimeZones {
    /// The zones, each read when it is first asked for. A zone's rules stay as they are until the process ends.
    static let all: TimeZones = {
        let known = Locked<[String: TimeZoneRules]>([:])
        return TimeZones { name in
            guard isValid(name) else { return nil }
            if let rules = known.withLock({ $0[name] }) { return rules }
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")),
                let rules = TimeZoneRules(file: [UInt8](data))
            else { return nil }
            known.withLock { $0[name] = rules }
            return rules
        }
    }()

    /// Where Linux and macOS keep the database.
    private static let folder = "/usr/share/zoneinfo"

    /// Names come from clients and become paths: `Europe/Berlin`, `Etc/GMT+1`.
    private static func isValid(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "+"):
                true
            default: false
            }
        }
        return isPlain && name.utf8.count <= 100 && !name.hasPrefix("/") && !name.hasSuffix("/")
    }
}
