public import SagamoreEngine
public import SagamorePostgresClient

/// Values of search attributes as the columns of `search_values`.
public struct SearchValueColumns {
    private var runIDs = PostgresArray(of: .uuid)
    private var attributes = PostgresArray(of: .int32)
    private var positions = PostgresArray(of: .int32)
    private var namespaces = PostgresArray(of: .int32)
    private var words = PostgresArray(of: .text)
    private var numbers = PostgresArray(of: .int64)
    private var fractions = PostgresArray(of: .text)

    /// No values.
    public init() {}

    /// Whether there is nothing to write.
    public var isEmpty: Bool { runIDs.count == 0 }

    /// Adds values of a run, or of what has an id like one.
    public mutating func append(_ values: [SearchValue], of runID: RunID, _ namespace: Int32) {
        for value in values {
            runIDs.append(runID)
            attributes.append(value.attribute)
            positions.append(value.position)
            namespaces.append(namespace)
            var (word, number, fraction): (String?, Int64?, String?)
            switch value.content {
            case .word(let text): word = text
            case .number(let value): number = value
            case .fraction(let value): fraction = "\(value)"
            }
            words.append(optional: word)
            numbers.append(optional: number)
            fractions.append(optional: fraction)
        }
    }

    /// Run ids, attributes, positions, namespaces, words, numbers and, as texts, fractions.
    public var parameters: [PostgresValue] {
        [runIDs, attributes, positions, namespaces, words, numbers, fractions].map { .array($0) }
    }

    /// Inserts what `parameters` has.
    public static let insert = PostgresStatement(
        "insert_search_values",
        """
        insert into sagamore.search_values (run_id, attribute, position, namespace, word, number, fraction)
            select run_id, attribute, position, namespace, word, number, fraction::float8
            from unnest($1::uuid[], $2::int4[], $3::int4[], $4::int4[], $5::text[], $6::int8[], $7::text[])
                as v(run_id, attribute, position, namespace, word, number, fraction)
        """
    )
}
