import SagamorePostgresClient
import Testing

extension PostgresClientTests {
    @Suite struct Arrays {
        let connection: PostgresConnection

        init() throws { connection = try connect(newDatabase()) }

        /// The elements as the server writes them, NULL as nil.
        func elements(_ type: String, _ array: PostgresArray) throws -> [String?] {
            let statement = PostgresStatement("elements_\(type)", "SELECT e::text FROM unnest($1::\(type)[]) AS e")
            let result = try connection.query(statement, [.array(array)])
            return (0..<result.rowCount).map { result.optionalText($0, 0) }
        }

        @Test func int64() throws {
            var array = PostgresArray(of: .int64)
            array.append(Int64.min)
            array.appendNull()
            array.append(Int64(5))
            #expect(array.count == 3)
            #expect(try elements("int8", array) == ["-9223372036854775808", nil, "5"])
        }

        @Test func int32() throws {
            var array = PostgresArray(of: .int32, capacity: 1)
            array.append(Int32(-7))
            array.appendNull()
            #expect(try elements("int4", array) == ["-7", nil])
        }

        @Test func text() throws {
            var array = PostgresArray(of: .text)
            array.append("")
            array.append("Grüße, \"{x}\" 🧳")
            array.appendNull()
            #expect(try elements("text", array) == ["", "Grüße, \"{x}\" 🧳", nil])
        }

        @Test func bytea() throws {
            var array = PostgresArray(of: .bytea)
            array.append([0, 255])
            array.append([UInt8]())
            array.appendNull()
            #expect(try elements("bytea", array) == ["\\x00ff", "\\x", nil])
        }

        @Test func uuid() throws {
            var uuids = PostgresArray(of: .uuid)
            uuids.append(uuidHigh: 1, low: .max)
            #expect(try elements("uuid", uuids) == ["00000000-0000-0001-ffff-ffffffffffff"])
        }

        @Test func bool() throws {
            var bools = PostgresArray(of: .bool)
            bools.append(true)
            bools.appendNull()
            bools.append(false)
            #expect(try elements("bool", bools) == ["true", nil, "false"])
        }

        @Test func emptyAndOnlyNulls() throws {
            #expect(try elements("bytea", PostgresArray(of: .bytea)) == [])
            var nulls = PostgresArray(of: .text)
            nulls.appendNull()
            nulls.appendNull()
            #expect(try elements("text", nulls) == [nil, nil])
        }

        @Test func copiesAreIndependent() throws {
            var first = PostgresArray(of: .int64)
            first.append(Int64(1))
            var second = first
            second.append(Int64(2))
            first.append(Int64(3))
            #expect(try elements("int8", first) == ["1", "3"])
            #expect(try elements("int8", second) == ["1", "2"])
        }

        @Test func severalArraysAsRows() throws {
            try connection.execute("CREATE TABLE journal (id bytea, sequence int8, events bytea)")
            var ids = PostgresArray(of: .bytea, capacity: 1000)
            var sequences = PostgresArray(of: .int64, capacity: 1000)
            var events = PostgresArray(of: .bytea, capacity: 1000)
            for number in 0..<1000 {
                ids.append([UInt8(number & 255), UInt8(number >> 8)])
                sequences.append(Int64(number))
                if number % 3 == 0 { events.appendNull() } else { events.append([UInt8](repeating: 1, count: number)) }
            }
            var batch = PostgresBatch()
            batch.append(
                PostgresStatement(
                    "insert",
                    "INSERT INTO journal SELECT * FROM unnest($1::bytea[], $2::int8[], $3::bytea[])"
                ),
                [.array(ids), .array(sequences), .array(events)]
            )
            #expect(try connection.transaction(batch)[0].affectedRows == 1000)
            #expect(try connection.number("SELECT sum(coalesce(octet_length(events), 0)) FROM journal") == 332_667)
            #expect(try connection.number("SELECT count(*) FROM journal WHERE events IS NULL") == 334)
        }
    }
}
