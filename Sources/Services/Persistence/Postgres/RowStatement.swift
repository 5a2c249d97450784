internal import SagamoreEngine
internal import SagamorePostgresClient

/// A statement that writes rows from values, in one form for few rows and in another for any number of them.
///
/// Many rows are an array for each column. PostgreSQL calls a function for each of these arrays and keeps what it
/// returns: for two runs with their 22 columns that takes 11 of 45 µs, with warm caches. So a commit of few rows, as
/// most are, lists its values, in a prepared statement for each number of rows.
struct RowStatement: Sendable {
    struct Column: Sendable {
        let name: String
        let type: PostgresArray.ElementType

        init(_ name: String, _ type: PostgresArray.ElementType) {
            self.name = name
            self.type = type
        }
    }

    /// The most rows whose values are listed.
    static let listedRows = 4

    let columns: [Column]
    /// By the number of rows, from 1.
    private let listing: [PostgresStatement]
    private let unnesting: PostgresStatement

    /// - Parameters:
    ///   - name: the name under which it is prepared, with the number of rows behind it where they are listed.
    ///   - sql: the statement, of what has the rows: an item of a `from` clause with the columns' names.
    init(_ name: String, _ columns: [Column], sql: (_ rows: String) -> String) {
        self.columns = columns
        let names = columns.map(\.name).joined(separator: ", ")
        listing = (1...Self.listedRows).map { count in
            let rows = (0..<count).map { row in
                let values = columns.indices.map { "$\(row * columns.count + $0 + 1)::\(columns[$0].type.name)" }
                return "(\(values.joined(separator: ", ")))"
            }
            let source = "(values \(rows.joined(separator: ", "))) as c(\(names))"
            return PostgresStatement("\(name)_\(count)", sql(source))
        }
        let arrays = columns.enumerated().map { "$\($0 + 1)::\($1.type.name)[]" }.joined(separator: ", ")
        unnesting = PostgresStatement(name, sql("unnest(\(arrays)) as c(\(names))"))
    }

    /// An insert of all columns.
    static func insert(_ name: String, into table: String, _ columns: [Column]) -> RowStatement {
        let names = columns.map(\.name).joined(separator: ", ")
        return RowStatement(name, columns) { "insert into sagamore.\(table) (\(names)) select * from \($0)" }
    }

    /// The statement for so many rows.
    func statement(rows: Int) -> PostgresStatement {
        rows <= Self.listedRows ? listing[rows - 1] : unnesting
    }

}

/// The values of rows that a statement is to write: one row behind the other, each in the order of the columns.
struct RowValues {
    let statement: RowStatement
    let count: Int
    private var listed: [PostgresValue] = []
    private var arrays: [PostgresArray] = []
    private var next = 0

    /// - Parameter count: the number of rows; at least 1.
    init(_ statement: RowStatement, count: Int) {
        self.statement = statement
        self.count = count
        if count <= RowStatement.listedRows {
            listed.reserveCapacity(count * statement.columns.count)
        } else {
            arrays = statement.columns.map { PostgresArray(of: $0.type, capacity: count) }
        }
    }

    private mutating func append(_ value: @autoclosure () -> PostgresValue, _ add: (inout PostgresArray) -> Void) {
        guard !arrays.isEmpty else { return listed.append(value()) }
        add(&arrays[next])
        next = next + 1 == arrays.count ? 0 : next + 1
    }

    mutating func append(_ id: RunID) { append(.uuid(high: id.high, low: id.low)) { $0.append(id) } }
    mutating func append(_ number: Int64) { append(.int64(number)) { $0.append(number) } }
    mutating func append(_ number: Int32) { append(.int32(number)) { $0.append(number) } }
    mutating func append(_ text: String) { append(.text(text)) { $0.append(text) } }
    mutating func append(_ bytes: [UInt8]) { append(.bytes(bytes)) { $0.append(bytes) } }
    mutating func appendNull() { append(.null) { $0.appendNull() } }

    mutating func append(_ id: RunID?) { if let id { append(id) } else { appendNull() } }
    mutating func append(_ number: Int64?) { if let number { append(number) } else { appendNull() } }
    mutating func append(_ number: Int32?) { if let number { append(number) } else { appendNull() } }
    mutating func append(_ text: String?) { if let text { append(text) } else { appendNull() } }
    mutating func append(_ bytes: [UInt8]?) { if let bytes { append(bytes) } else { appendNull() } }

    fileprivate var values: [PostgresValue] {
        precondition(arrays.allSatisfy { $0.count == count }, "a row lacks values")
        guard arrays.isEmpty else { return arrays.map { .array($0) } }
        precondition(listed.count == count * statement.columns.count, "a row lacks values")
        return listed
    }
}

extension PostgresBatch {
    mutating func append(_ rows: RowValues, changing expected: Int? = nil) {
        append(rows.statement.statement(rows: rows.count), rows.values, changing: expected)
    }
}
