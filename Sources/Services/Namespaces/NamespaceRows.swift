internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePostgresClient
internal import SagamoreProtobuf
internal import SagamoreServices

/// Namespaces as rows.
enum NamespaceRows {
    /// Nothing comes back when the name is taken.
    static let insert = PostgresStatement(
        "namespace_insert",
        """
        insert into sagamore.namespaces (id, name, description, owner_email, retention, data_keys, data_values)
            values (gen_random_uuid(), $1, $2, $3, $4, $5, $6)
            on conflict (name) do nothing returning number, id::text
        """
    )

    /// A row for each pair of a namespace's data, and one with NULLs when it has none.
    static let select = PostgresStatement(
        "namespace_select",
        """
        select number, namespaces.id::text, name, description, owner_email, retention, pair.key, pair.value, state::int,
                (deleted_at is not null)::int
            from sagamore.namespaces
            left join lateral unnest(data_keys, data_values) as pair (key, value) on true
            order by number
        """,
        readsOnly: true
    )

    /// Nothing comes back when the namespace is gone, or was deleted.
    static let update = PostgresStatement(
        "namespace_update",
        """
        update sagamore.namespaces set description = $3, owner_email = $4, retention = $5, data_keys = $6,
                data_values = $7, state = $8::integer
            where number = $1 and name = $2 and deleted_at is null returning number
        """
    )

    /// Nothing comes back when the namespace is gone, or was deleted.
    static let delete = PostgresStatement(
        "namespace_delete",
        """
        update sagamore.namespaces set name = $2, state = 3, deleted_at = now()
            where number = $1 and deleted_at is null returning number
        """
    )

    static func values(of record: NamespaceRecord) -> [PostgresValue] {
        [.int32(record.number)]
            + values(record.name, record.description, record.ownerEmail, record.retention, record.data)
            + [.int32(record.state.rawValue)]
    }

    static func values(
        _ name: String,
        _ description: String,
        _ ownerEmail: String,
        _ retention: Interval,
        _ data: ProtobufMap<String>
    ) -> [PostgresValue] {
        var keys = PostgresArray(of: .text, capacity: data.count)
        var values = PostgresArray(of: .text, capacity: data.count)
        for (key, value) in data {
            keys.append(key)
            values.append(value)
        }
        return [
            .text(name), .text(description), .text(ownerEmail), .int64(retention.nanoseconds), .array(keys),
            .array(values),
        ]
    }

    static let selectAttributes = PostgresStatement(
        "namespace_attributes",
        "select namespace, id, name, type::int from sagamore.search_attributes order by id",
        readsOnly: true
    )

    /// Nothing comes back when the namespace has one of the names already, or is gone.
    static let addAttributes = PostgresStatement(
        "namespace_add_attributes",
        """
        with new as (select * from unnest($2::text[], $3::int4[]) as a (name, type))
        insert into sagamore.search_attributes (namespace, name, type)
            select $1, name, type from new
            where not exists (select from sagamore.search_attributes a join new using (name) where a.namespace = $1)
                and exists (select from sagamore.namespaces where number = $1 and deleted_at is null)
            returning id
        """
    )

    static let removeAttributes = PostgresStatement(
        "namespace_remove_attributes",
        "delete from sagamore.search_attributes where namespace = $1 and name = any($2::text[]) returning id"
    )

    static func attributes(_ rows: PostgresResult) -> [Int32: [SearchAttribute]] {
        var attributes: [Int32: [SearchAttribute]] = [:]
        for row in 0..<rows.rowCount {
            guard let type = SearchAttributeType(rawValue: rows.int32(row, 3)) else { continue }
            let attribute = SearchAttribute(id: rows.int32(row, 1), name: rows.text(row, 2), type: type)
            attributes[rows.int32(row, 0), default: []].append(attribute)
        }
        return attributes
    }

    static func records(_ rows: PostgresResult, _ attributes: [Int32: [SearchAttribute]]) -> [NamespaceRecord] {
        var records: [NamespaceRecord] = []
        var row = 0
        while row < rows.rowCount {
            let number = rows.int32(row, 0)
            var data = ProtobufMap<String>()
            var next = row
            while next < rows.rowCount, rows.int32(next, 0) == number {
                if let key = rows.optionalText(next, 6) { data[key] = rows.optionalText(next, 7) ?? "" }
                next += 1
            }
            records.append(
                NamespaceRecord(
                    number: number,
                    id: rows.text(row, 1),
                    name: rows.text(row, 2),
                    description: rows.text(row, 3),
                    ownerEmail: rows.text(row, 4),
                    retention: Interval(nanoseconds: rows.int64(row, 5)),
                    data: data,
                    state: NamespaceState(rawValue: rows.int32(row, 8)),
                    isDeleted: rows.int32(row, 9) != 0,
                    searchAttributes: attributes[number] ?? []
                )
            )
            row = next
        }
        return records
    }
}
