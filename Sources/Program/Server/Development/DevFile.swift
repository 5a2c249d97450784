internal import FoundationEssentials
internal import Glibc
internal import SagamoreJSONText

/// `DATA_DIR/dev.json`: the addresses of a running `sagamore dev`. The file exists only while that runs, unless it was
/// killed.
public struct DevFile: Sendable, Equatable {
    /// `host:port` of gRPC.
    public var grpc: String
    /// `host:port` of the web UI; nil while there is none.
    public var http: String?
    /// The Kafka bootstrap brokers.
    public var kafka: String?
    /// The libpq URL of the database.
    public var postgres: String
    /// The main process of the private PostgreSQL; nil with an external database.
    public var postgresPID: Int32?
    /// The process of `sagamore dev`.
    public var pid: Int32

    /// The path of the file in a data folder.
    public static func path(in folder: String) -> String { folder + "/dev.json" }

    /// The file of the `dev` that is running on this data folder; nil when none is, judging by the file's pid.
    public static func ofRunning(in folder: String) -> DevFile? {
        guard let file = read(in: folder), kill(file.pid, 0) == 0 || errno == EPERM else { return nil }
        return file
    }

    static func read(in folder: String) -> DevFile? {
        guard let data = FileManager.default.contents(atPath: path(in: folder)),
            let json = try? JSONValue.parse([UInt8](data)),
            let grpc = json["grpc"]?.string, let postgres = json["postgres"]?.string, let pid = json["pid"]?.int64
        else { return nil }
        return DevFile(
            grpc: grpc,
            http: json["http"]?.string,
            kafka: json["kafka"]?.string,
            postgres: postgres,
            postgresPID: json["postgres_pid"]?.int64.map { Int32(truncatingIfNeeded: $0) },
            pid: Int32(truncatingIfNeeded: pid)
        )
    }

    /// Writes the file atomically. Only this user can read it, since a URL may contain a password.
    func write(in folder: String) throws(ServerError) {
        let json: JSONValue = [
            "grpc": .string(grpc),
            "http": http.map { .string($0) } ?? nil,
            "kafka": kafka.map { .string($0) } ?? nil,
            "postgres": .string(postgres),
            "postgres_pid": postgresPID.map { .number(JSONNumber($0)) } ?? nil,
            "pid": .number(JSONNumber(pid)),
        ]
        let path = Self.path(in: folder)
        let new = path + ".new"
        unlink(new)
        let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .dataFolder("cannot write \(new): \(String(cString: strerror(errno)))") }
        let bytes = json.serialize(pretty: true) + [UInt8(ascii: "\n")]
        let isWritten = Glibc.write(file, bytes, bytes.count) == bytes.count
        close(file)
        guard isWritten, rename(new, path) == 0 else {
            throw .dataFolder("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    static func remove(in folder: String) {
        unlink(path(in: folder))
    }
}
