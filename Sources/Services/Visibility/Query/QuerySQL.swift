internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamorePostgresClient

/// SQL that is put together, with its values. Nothing that a client wrote is ever a part of the text.
struct QuerySQL {
    private(set) var values: [PostgresValue] = []

    /// Adds a value. The result stands for it in the text.
    mutating func parameter(raw value: PostgresValue) -> String {
        values.append(value)
        return "$\(values.count)"
    }

    mutating func parameter(_ value: FilterValue) -> String {
        switch value {
        case .text(let text): parameter(raw: .text(text)) + "::text"
        case .int(let number): parameter(raw: .int64(number)) + "::bigint"
        // PostgreSQL reads back what Swift prints.
        case .fraction(let number): parameter(raw: .text("\(number)")) + "::text::double precision"
        case .runID(let id): parameter(raw: .uuid(high: id.high, low: id.low)) + "::uuid"
        }
    }

    private mutating func array(_ values: [FilterValue]) -> String {
        switch values.first {
        case .text:
            var array = PostgresArray(of: .text, capacity: values.count)
            for case .text(let text) in values { array.append(text) }
            return parameter(raw: .array(array)) + "::text[]"
        case .runID:
            var array = PostgresArray(of: .uuid, capacity: values.count)
            for case .runID(let id) in values { array.append(uuidHigh: id.high, low: id.low) }
            return parameter(raw: .array(array)) + "::uuid[]"
        case .fraction:
            var array = PostgresArray(of: .text, capacity: values.count)
            for case .fraction(let number) in values { array.append("\(number)") }
            return parameter(raw: .array(array)) + "::text[]::double precision[]"
        case .int, nil:
            var array = PostgresArray(of: .int64, capacity: values.count)
            for case .int(let number) in values { array.append(number) }
            return parameter(raw: .array(array)) + "::bigint[]"
        }
    }

    // MARK: Fields

    /// A field of the run `r`, as SQL. NULL where the run lacks it.
    mutating func expression(_ field: FilterField) -> String {
        switch field {
        case .column(let column): Self.expression(column)
        case .attribute(let attribute):
            """
            (select v.\(attribute.column) from sagamore.search_values v
            where v.run_id = r.run_id and v.attribute = \(parameter(raw: .int32(attribute.id))) and v.position = 0)
            """
        }
    }

    static func expression(_ column: FilterColumn) -> String {
        switch column {
        case .workflowID: "r.workflow_id"
        case .runID: "r.run_id"
        case .workflowType: "r.workflow_type"
        case .status: "r.status"
        case .startTime: "r.started_at"
        case .closeTime: "r.closed_at"
        case .executionTime: "coalesce(r.execution_at, r.started_at)"
        case .duration: "(r.closed_at - coalesce(r.execution_at, r.started_at))"
        case .historyLength: "case when r.closed_at is not null then r.history_length end"
        case .historyBytes: "case when r.closed_at is not null then r.history_bytes end"
        case .transitions: "r.transitions"
        case .taskQueue: "r.task_queue"
        case .parentWorkflowID: "r.parent_workflow_id"
        case .parentRunID: "r.parent_run_id"
        case .rootWorkflowID: "coalesce(r.root_workflow_id, r.workflow_id)"
        case .rootRunID: "coalesce(r.root_run_id, r.run_id)"
        case .commandID: "r.command_id"
        case .sagaStep:
            """
            (select j.step from sagamore.journal j where j.run_id = r.run_id and j.step is not null
            order by j.sequence desc limit 1)
            """
        case .buildIDs:
            list(
                "array['unversioned'] || array_agg('unversioned:' || j.build_id order by j.sequence)"
                    + " filter (where j.build_id <> '')",
                of: "build_id"
            )
        case .binaryChecksums: list("array_agg(j.binary_checksum order by j.sequence)", of: "binary_checksum")
        case .sagaStatus:
            "case r.saga_status "
                + SagaStatus.allCases.map { "when \($0.rawValue) then '\($0.name)'" }.joined(separator: " ")
                + " else case when r.status = 1 then 'running' end end"
        }
    }

    /// What the rows of a run's journal have in a column, as JSON; null where none has anything.
    private static func list(_ elements: String, of column: String) -> String {
        """
        (select to_json(\(elements))::text from sagamore.journal j
        where j.run_id = r.run_id and j.\(column) is not null having count(*) > 0)
        """
    }

    /// The same, in the order of bytes where it is a text.
    mutating func ordered(_ field: FilterField) -> String {
        field.kind == .keyword ? "(\(expression(field))) collate \"C\"" : "(\(expression(field)))"
    }

    // MARK: Conditions

    mutating func sql(_ condition: Condition) -> String {
        switch condition {
        case .and(let parts): return joined(parts, by: " and ")
        case .or(let parts): return joined(parts, by: " or ")
        case .not(let part): return "(not \(sql(part)))"
        case .isNull(let field):
            if field.hasSeveralValues { return "(not \(anyValue(of: field, "true")))" }
            return "((\(expression(field))) is null)"
        case .never(let field):
            // Unknown where the run lacks the field.
            return field.hasSeveralValues ? "false" : "(\(sql(.isNull(field))) and null)"
        case .comparison(let field, let comparison, let value): return compare(field, comparison, value)
        case .between(let field, let low, let high):
            return "(\(ordered(field)) between \(parameter(low)) and \(parameter(high)))"
        case .among(let field, let values): return among(field, values)
        case .startsWith(let field, let prefix):
            let prefix = parameter(FilterValue.text(prefix))
            if field.hasSeveralValues { return anyValue(of: field, "starts_with(v.word, \(prefix))") }
            return "starts_with(\(expression(field)), \(prefix))"
        }
    }

    private mutating func joined(_ parts: [Condition], by word: String) -> String {
        var texts: [String] = []
        for part in parts { texts.append(sql(part)) }
        return "(" + texts.joined(separator: word) + ")"
    }

    private mutating func compare(
        _ field: FilterField,
        _ comparison: FilterComparison,
        _ value: FilterValue
    ) -> String {
        switch comparison {
        case .equal:
            if field.hasSeveralValues { return among(field, [value]) }
            if let status = saga(field, value) { return status }
            return "((\(expression(field))) = \(parameter(value)))"
        case .notEqual: return "(not \(compare(field, .equal, value)))"
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            return "(\(ordered(field)) \(comparison.rawValue) \(parameter(value)))"
        }
    }

    /// The status of a saga as it is stored, so that an index is of use.
    private func saga(_ field: FilterField, _ value: FilterValue) -> String? {
        guard field == .column(.sagaStatus), case .text(let name) = value,
            let status = SagaStatus.allCases.first(where: { $0.name == name })
        else { return nil }
        return "(case when r.saga_status is null and r.status <> 1 then null else r.saga_status is not null end"
            + " and r.saga_status = \(status.rawValue))"
    }

    private mutating func among(_ field: FilterField, _ values: [FilterValue]) -> String {
        guard field.hasSeveralValues else { return "((\(expression(field))) = any(\(array(values))))" }
        guard field.kind == .text else { return anyValue(of: field, "v.word = any(\(array(values)))") }
        var words: [FilterValue] = []
        for case .text(let text) in values { words += SearchValue.words(of: text).map { .text($0) } }
        return anyValue(of: field, words.isEmpty ? "false" : "v.word = any(\(array(words)))")
    }

    /// Whether a condition holds for one of several values. Where there is none it does not hold.
    private mutating func anyValue(of field: FilterField, _ condition: String) -> String {
        let attribute: SearchAttribute
        switch field {
        case .column(let column): return Self.anyBuild(column, condition)
        case .attribute(let named): attribute = named
        }
        return """
            exists (select from sagamore.search_values v where v.run_id = r.run_id
            and v.attribute = \(parameter(raw: .int32(attribute.id))) and \(condition))
            """
    }
}

extension QuerySQL {
    /// Whether a condition holds for one of the values that the builds of a run give a column.
    private static func anyBuild(_ column: FilterColumn, _ condition: String) -> String {
        let words =
            switch column {
            case .buildIDs:
                """
                lateral (values ('unversioned'), ('unversioned:' || nullif(j.build_id, ''))) v(word)
                where j.build_id is not null
                """
            case .binaryChecksums:
                "lateral (values (j.binary_checksum)) v(word) where true"
            default: preconditionFailure("\(column.rawValue) has one value")
            }
        return """
            exists (select from sagamore.journal j, \(words)
            and j.run_id = r.run_id and v.word is not null and \(condition))
            """
    }
}

extension FilterField {
    var hasSeveralValues: Bool { kind == .keywordList || kind == .text }
}

extension SearchAttribute {
    /// Where its values are stored.
    var column: String {
        switch type {
        case .text, .keyword, .keywordList: "word"
        case .int, .bool, .datetime: "number"
        case .double: "fraction"
        }
    }
}
