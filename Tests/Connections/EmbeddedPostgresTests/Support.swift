import Glibc
import SagamoreEmbeddedPostgres
import SagamorePostgresClient
import SagamoreThreads
import Testing

/// The tests that start servers, one at a time.
@Suite(.serialized)
struct EmbeddedPostgresTests {}

/// Collects log lines.
final class Lines: Sendable {
    private let lines = Locked<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    var log: @Sendable (String) -> Void {
        { line in self.lines.withLock { $0.append(line) } }
    }
}

/// A folder for one test, removed with the object.
final class Scratch {
    let path: String

    /// - Parameter mode: the folder's permissions.
    init(mode: UInt32 = 0o711) throws {
        var template = Array("/tmp/sagamore-scratch-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(path, mode)
    }

    deinit { system("rm -rf '\(path)'") }
}

/// Queries one number from the server at `url`.
func number(_ url: String, _ sql: String) throws -> Int64 {
    let connection = try PostgresConnection(url, applicationName: "tests")
    return try connection.query(PostgresStatement("number", sql, readsOnly: true)).int64(0, 0)
}

/// Runs statements on the server at `url`.
func execute(_ url: String, _ sql: String) throws {
    try PostgresConnection(url, applicationName: "tests").execute(sql)
}

/// Whether the process exists and is no zombie.
func isAlive(_ pid: Int32) -> Bool {
    guard let file = fopen("/proc/\(pid)/stat", "r") else { return false }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 256)
    guard fgets(&text, 256, file) != nil else { return false }
    let line = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let state = line.split(separator: ")").last?.split(separator: " ").first else { return false }
    return state != "Z"
}

func status(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
}
