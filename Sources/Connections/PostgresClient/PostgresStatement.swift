/// A statement that each connection prepares once, on first use, under its name.
///
/// The types of `$1`, `$2`, … come from the SQL alone, so write casts (`$1::int8`) where the context leaves them open;
/// values travel in binary form and have to fit those types exactly.
public struct PostgresStatement: Sendable, Hashable {
    /// The name under which it is prepared; one name stands for one SQL text for ever.
    public let name: String
    /// One SQL statement with parameters `$1`, `$2`, ….
    public let sql: String
    /// Whether it changes nothing, so that there is no outcome that a lost connection could leave unknown.
    public let readsOnly: Bool

    /// Names a statement. `readsOnly` makes a connection lost while it runs `.connectionLost` instead of
    /// `.outcomeUnknown`.
    public init(_ name: String, _ sql: String, readsOnly: Bool = false) {
        self.name = name
        self.sql = sql
        self.readsOnly = readsOnly
    }
}

/// Statements with their values that travel to the server together.
public struct PostgresBatch: Sendable {
    struct Item: Sendable {
        var statement: PostgresStatement
        var values: [PostgresValue]
    }

    private(set) var items: [Item] = []

    /// An empty batch.
    public init() {}

    /// Adds `statement` with a value for each of its parameters, in order.
    public mutating func append(_ statement: PostgresStatement, _ values: [PostgresValue] = []) {
        items.append(Item(statement: statement, values: values))
    }

    /// The number of statements.
    var count: Int { items.count }
}

extension [PostgresValue] {
    var byteCount: Int { reduce(0) { total, value in total + value.byteCount } }
}
