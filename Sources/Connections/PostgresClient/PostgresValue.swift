/// The value of a parameter, in PostgreSQL's binary form.
public struct PostgresValue: Sendable {
    enum Storage: Sendable {
        case null
        case int64(Int64)
        case int32(Int32)
        case bool(Bool)
        case text(String)
        case bytes([UInt8])
        case uuid(high: UInt64, low: UInt64)
        case array(PostgresArray)
    }

    let storage: Storage

    /// NULL, of any type.
    public static let null = PostgresValue(storage: .null)
    /// An `int8`.
    public static func int64(_ value: Int64) -> PostgresValue { PostgresValue(storage: .int64(value)) }
    /// An `int4`.
    public static func int32(_ value: Int32) -> PostgresValue { PostgresValue(storage: .int32(value)) }
    /// A `bool`.
    public static func bool(_ value: Bool) -> PostgresValue { PostgresValue(storage: .bool(value)) }
    /// A `text`, `varchar` or `json`; for others, cast in the SQL: `$1::text::jsonb`. The server rejects NUL (22021).
    public static func text(_ value: String) -> PostgresValue { PostgresValue(storage: .text(value)) }
    /// A `bytea`.
    public static func bytes(_ value: [UInt8]) -> PostgresValue { PostgresValue(storage: .bytes(value)) }
    /// A `uuid`: its first and last eight bytes as big-endian numbers.
    public static func uuid(high: UInt64, low: UInt64) -> PostgresValue {
        PostgresValue(storage: .uuid(high: high, low: low))
    }
    /// A one-dimensional array.
    public static func array(_ value: PostgresArray) -> PostgresValue { PostgresValue(storage: .array(value)) }

    /// The size of the value on the wire, without its length.
    var byteCount: Int {
        switch storage {
        case .null: 0
        case .int64: 8
        case .int32: 4
        case .bool: 1
        case .uuid: 16
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        case .array(let array): array.storage.count
        }
    }
}
