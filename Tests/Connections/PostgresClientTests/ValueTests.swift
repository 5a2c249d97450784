import SagamorePostgresClient
import Testing

extension PostgresClientTests {
    @Suite struct Values {
        let connection: PostgresConnection

        init() throws { connection = try connect(newDatabase()) }

        func echo(_ type: String, _ value: PostgresValue) throws(PostgresError) -> PostgresResult {
            try connection.query(PostgresStatement("echo_\(type)", "SELECT $1::\(type), $1::\(type)::text"), [value])
        }

        @Test(arguments: [Int64.min, -1, 0, 1, .max]) func int64(_ value: Int64) throws {
            let result = try echo("int8", .int64(value))
            #expect(result.int64(0, 0) == value)
            #expect(result.text(0, 1) == "\(value)")
        }

        @Test(arguments: [Int32.min, -1, 0, 1, .max]) func int32(_ value: Int32) throws {
            let result = try echo("int4", .int32(value))
            #expect(result.int32(0, 0) == value)
            #expect(result.int64(0, 0) == Int64(value))
            #expect(result.text(0, 1) == "\(value)")
        }

        @Test func int2IsReadAsAnyInteger() throws {
            let result = try connection.query(PostgresStatement("int2", "SELECT (-5)::int2"))
            #expect(result.int32(0, 0) == -5)
            #expect(result.int64(0, 0) == -5)
        }

        @Test(arguments: [true, false]) func bool(_ value: Bool) throws {
            let result = try echo("bool", .bool(value))
            #expect(result.bool(0, 0) == value)
            #expect(result.text(0, 1) == "\(value)")
        }

        @Test(arguments: ["", "a", "Grüße, 旅行 🧳", String(repeating: "x", count: 100_000)])
        func text(_ value: String) throws {
            let result = try echo("text", .text(value))
            #expect(result.text(0, 0) == value)
            #expect(result.optionalText(0, 0) == value)
        }

        @Test(arguments: [[], [0], [255, 0, 1], [UInt8](repeating: 7, count: 300_000)])
        func bytes(_ value: [UInt8]) throws {
            let result = try echo("bytea", .bytes(value))
            #expect(result.bytes(0, 0) == value)
            #expect(!result.isNull(0, 0))
            #expect(result.bytes(0, 0).count == value.count)
        }

        @Test func uuid() throws {
            let result = try echo("uuid", .uuid(high: 0x0198_f0aa_0000_7000, low: 0x8000_0000_0000_0001))
            #expect(result.uuid(0, 0) == (0x0198_f0aa_0000_7000, 0x8000_0000_0000_0001))
            #expect(result.text(0, 1) == "0198f0aa-0000-7000-8000-000000000001")
        }

        @Test func nullOfEveryType() throws {
            for type in ["int8", "int4", "bool", "text", "bytea", "uuid", "timestamptz", "int8[]"] {
                let result = try echo(type, .null)
                #expect(result.isNull(0, 0))
                #expect(result.optionalInt64(0, 0) == nil)
                #expect(result.optionalText(0, 0) == nil)
                #expect(result.optionalBytes(0, 0) == nil)
            }
        }

        @Test func valuesOfAllKindsTogether() throws {
            let statement = PostgresStatement(
                "all",
                "SELECT $1::int8, $2::text, $3::bytea, $4::bool, $5::int4, $6::text, $7::uuid, $8::bytea AS last"
            )
            let result = try connection.query(
                statement,
                [
                    .int64(1), .text("short"), .bytes([1, 2]), .bool(true), .int32(2), .null, .uuid(high: 3, low: 4),
                    .bytes([]),
                ]
            )
            #expect(result.int64(0, 0) == 1)
            #expect(result.text(0, 1) == "short")
            #expect(result.bytes(0, 2) == [1, 2])
            #expect(result.bool(0, 3))
            #expect(result.int32(0, 4) == 2)
            #expect(result.isNull(0, 5))
            #expect(result.uuid(0, 6) == (3, 4))
            #expect(result.bytes(0, 7) == [])
            #expect(result.rowCount == 1)
        }

        @Test func textWithNULIsRefusedAndNotCutOff() throws {
            let error = try failure { () throws(PostgresError) in try echo("text", .text("a\0b")) }
            #expect(error.code == .server)
            #expect(error.sqlState == "22021")
            #expect(error.isDataError)
        }

        @Test func affectedRows() throws {
            try connection.execute("CREATE TABLE t (a int8)")
            let insert = PostgresStatement("insert", "INSERT INTO t SELECT generate_series(1, $1::int8)")
            #expect(try connection.query(insert, [.int64(7)]).affectedRows == 7)
            #expect(try connection.query(PostgresStatement("delete", "DELETE FROM t WHERE a > 4")).affectedRows == 3)
            #expect(try connection.query(PostgresStatement("analyze", "ANALYZE t")).affectedRows == 0)
        }
    }
}
