internal import CSagamorePostgres

/// The rows that a statement returned, and the number of affected rows. Immutable and thread-safe.
///
/// Columns are read by position, in binary form. Reading a NULL, or a column of another type, is a programming error
/// and traps, like an index out of range: check `isNull`, or use the `optional…` methods.
public final class PostgresResult: Sendable {
    /// The number of rows.
    public let rowCount: Int
    private let columnCount: Int
    // Results of libpq may be read from several threads, and nothing here changes them.
    private nonisolated(unsafe) let result: OpaquePointer

    /// Takes ownership of a libpq result.
    init(_ result: OpaquePointer) {
        self.result = result
        rowCount = Int(PQntuples(result))
        columnCount = Int(PQnfields(result))
    }

    deinit { PQclear(result) }

    /// The number of rows affected by INSERT, UPDATE, DELETE or SELECT; 0 for other commands.
    public var affectedRows: Int {
        guard let text = PQcmdTuples(result) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    /// Whether the field is NULL.
    public func isNull(_ row: Int, _ column: Int) -> Bool {
        check(row, column)
        return PQgetisnull(result, Int32(row), Int32(column)) != 0
    }

    /// An `int8`, `int4` or `int2`.
    public func int64(_ row: Int, _ column: Int) -> Int64 {
        let field = field(row, column)
        switch field.count {
        case 8: return Int64(bitPattern: Self.load(field, UInt64.self))
        case 4: return Int64(Int32(bitPattern: Self.load(field, UInt32.self)))
        case 2: return Int64(Int16(bitPattern: Self.load(field, UInt16.self)))
        default: preconditionFailure("column \(column) is no integer")
        }
    }

    /// An `int4` or `int2`.
    public func int32(_ row: Int, _ column: Int) -> Int32 {
        let field = field(row, column)
        switch field.count {
        case 4: return Int32(bitPattern: Self.load(field, UInt32.self))
        case 2: return Int32(Int16(bitPattern: Self.load(field, UInt16.self)))
        default: preconditionFailure("column \(column) is no int4")
        }
    }

    /// A `bool`.
    public func bool(_ row: Int, _ column: Int) -> Bool {
        let field = field(row, column)
        precondition(field.count == 1, "column \(column) is no bool")
        return field[0] != 0
    }

    /// A `text` (or `varchar`, `name`, `json`).
    public func text(_ row: Int, _ column: Int) -> String {
        String(decoding: field(row, column), as: UTF8.self)
    }

    /// A `bytea`, copied; for any other type, the bytes on the wire.
    public func bytes(_ row: Int, _ column: Int) -> [UInt8] {
        [UInt8](field(row, column))
    }

    /// A `uuid`: its first and last eight bytes as big-endian numbers.
    public func uuid(_ row: Int, _ column: Int) -> (UInt64, UInt64) {
        let field = field(row, column)
        precondition(field.count == 16, "column \(column) is no uuid")
        return (
            Self.load(field, UInt64.self), Self.load(UnsafeRawBufferPointer(rebasing: field[8...]), UInt64.self)
        )
    }

    /// The bytes of a field that is not NULL, valid as long as this result.
    private func field(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        check(row, column)
        let size = Int(PQgetlength(result, Int32(row), Int32(column)))
        precondition(
            size > 0 || PQgetisnull(result, Int32(row), Int32(column)) == 0,
            "row \(row), column \(column) is NULL"
        )
        return UnsafeRawBufferPointer(start: PQgetvalue(result, Int32(row), Int32(column)), count: size)
    }

    private func check(_ row: Int, _ column: Int) {
        precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount, "no such field")
    }

    private static func load<Number: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _: Number.Type) -> Number {
        Number(bigEndian: bytes.loadUnaligned(as: Number.self))
    }
}

extension PostgresResult {
    /// An integer, or nil for NULL.
    public func optionalInt64(_ row: Int, _ column: Int) -> Int64? {
        isNull(row, column) ? nil : int64(row, column)
    }

    /// A text, or nil for NULL.
    public func optionalText(_ row: Int, _ column: Int) -> String? {
        isNull(row, column) ? nil : text(row, column)
    }

    /// Bytes, or nil for NULL.
    public func optionalBytes(_ row: Int, _ column: Int) -> [UInt8]? {
        isNull(row, column) ? nil : bytes(row, column)
    }
}
