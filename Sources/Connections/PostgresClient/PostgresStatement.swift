/// A statement that each connection prepares by name on first use.
///
/// The SQL alone determines the types of `$1`, `$2`, …, so write casts (`$1::int8`) where the context is ambiguous.
/// Values are sent in binary form and must match those types exactly.
public struct PostgresStatement: Sendable, Hashable {
    /// The name under which it is prepared; empty for one that is prepared each time. A name always stands for the same
    /// SQL.
    public let name: String
    /// One SQL statement with parameters `$1`, `$2`, ….
    public let sql: String
    /// Whether it is read-only, so that a lost connection leaves no unknown outcome.
    public let readsOnly: Bool

    /// A statement that is prepared each time, for a text that is seldom used again.
    public static func unnamed(_ sql: String, readsOnly: Bool = false) -> PostgresStatement {
        PostgresStatement("", sql, readsOnly: readsOnly)
    }

    /// Creates a statement. With `readsOnly`, a lost connection is reported as `.connectionLost` instead of
    /// `.outcomeUnknown`.
    public init(_ name: String, _ sql: String, readsOnly: Bool = false) {
        self.name = name
        self.sql = sql
        self.readsOnly = readsOnly
    }
}

/// Statements with their values that are sent together.
public struct PostgresBatch: Sendable {
    package struct Item: Sendable {
        package var statement: PostgresStatement
        package var values: [PostgresValue]
        /// How many rows the statement should change; nil where it may change any number.
        package var expectedRows: Int?
    }

    package private(set) var items: [Item] = []

    /// An empty batch.
    public init() {}

    /// Adds a statement with a value for each of its parameters, in order.
    ///
    /// - Parameter rows: how many rows it should change, for whoever compares; nothing is checked here.
    public mutating func append(
        _ statement: PostgresStatement,
        _ values: [PostgresValue] = [],
        changing rows: Int? = nil
    ) {
        items.append(Item(statement: statement, values: values, expectedRows: rows))
    }

    /// The number of statements.
    var count: Int { items.count }
}

extension [PostgresValue] {
    var byteCount: Int { reduce(0) { total, value in total + value.byteCount } }
}
