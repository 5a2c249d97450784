internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreEngine
internal import SagamoreJSONText

extension Filter {
    /// Reads a filter, and checks its names and values.
    ///
    /// - Parameters:
    ///   - catalog: the search attributes of the namespace.
    ///   - subject: what is filtered.
    /// - Throws: `FilterError`, which says what is wrong at which character.
    init(_ text: String, _ catalog: SearchAttributeCatalog, of subject: FilterSubject = .runs) throws(FilterError) {
        let syntax = try FilterParser.parse(text)
        let typing = FilterTyping(catalog: catalog, subject: subject)
        condition = if let node = syntax.condition { try typing.condition(node) } else { nil }
        guard syntax.groups.count <= 1 else {
            throw FilterError("GROUP BY takes one attribute", at: syntax.groups[1].position)
        }
        guard syntax.order.count <= 1 else {
            throw FilterError("ORDER BY takes one attribute", at: syntax.order[1].name.position)
        }
        group = if let name = syntax.groups.first { try typing.group(name) } else { nil }
        order =
            if let by = syntax.order.first {
                FilterOrder(field: try typing.order(by.name), isDescending: by.isDescending)
            } else {
                nil
            }
    }
}

/// What a filter is about.
enum FilterSubject: Sendable {
    case runs, schedules
}

/// Gives names and values of a filter their meaning.
private struct FilterTyping {
    let catalog: SearchAttributeCatalog
    let subject: FilterSubject

    func condition(_ node: FilterNode) throws(FilterError) -> Condition {
        switch node {
        case .and(let nodes): return .and(try conditions(nodes))
        case .or(let nodes): return .or(try conditions(nodes))
        case .not(let node): return .not(try condition(node))
        case .isNull(let name): return .isNull(try field(name))
        case .comparison(let name, let comparison, let literal):
            let field = try field(name)
            if comparison != .equal, comparison != .notEqual { try checkOrdered(field, name) }
            guard let value = try value(literal, of: field) else {
                return comparison == .notEqual ? .not(.never(field)) : .never(field)
            }
            return .comparison(field, comparison, value)
        case .between(let name, let low, let high):
            let field = try field(name)
            try checkOrdered(field, name)
            guard let low = try value(low, of: field), let high = try value(high, of: field) else {
                return .never(field)
            }
            return .between(field, low, high)
        case .among(let name, let literals):
            let field = try field(name)
            var values: [FilterValue] = []
            for literal in literals { if let value = try value(literal, of: field) { values.append(value) } }
            return values.isEmpty ? .never(field) : .among(field, values)
        case .startsWith(let name, let literal):
            let field = try field(name)
            guard field.kind == .keyword || field.kind == .keywordList else {
                throw FilterError("STARTS_WITH is for keywords, and \(name.text) is none", at: name.position)
            }
            guard case .text(let prefix) = literal.kind else { throw wrong(literal, field, "a text in quotes") }
            return .startsWith(field, prefix)
        }
    }

    private func conditions(_ nodes: [FilterNode]) throws(FilterError) -> [Condition] {
        var conditions: [Condition] = []
        for node in nodes { conditions.append(try condition(node)) }
        return conditions
    }

    // MARK: Names

    func field(_ name: FilterName) throws(FilterError) -> FilterField {
        let field = try anyField(name)
        guard subject == .schedules, !isOfSchedules(field, name) else { return field }
        throw FilterError("cannot filter on \"\(name.text.prefix(100))\"", at: name.position, isOfOtherSubject: true)
    }

    /// Schedules have no more than an id, a pause, and what their clients have set.
    private func isOfSchedules(_ field: FilterField, _ name: FilterName) -> Bool {
        switch field {
        case .column: name.text == "ScheduleId"
        case .attribute(let attribute): attribute.id > 0 || name.text == "TemporalSchedulePaused"
        }
    }

    private func anyField(_ name: FilterName) throws(FilterError) -> FilterField {
        if let column = FilterColumn(rawValue: name.text) { return .column(column) }
        if name.text == "ScheduleId" { return .column(.workflowID) }
        if let attribute = catalog[name.text] { return .attribute(attribute) }
        let known =
            FilterColumn.allCases.map(\.rawValue)
            + (SearchAttributeCatalog.predefined + catalog.ownAttributes).map(\.name)
            .filter { FilterColumn(rawValue: $0) == nil }
        let shown = String(name.text.prefix(100))
        let hint = Suggestion.hint(for: shown, among: known)
        throw FilterError("invalid search attribute: \(shown)", at: name.position, hint: hint)
    }

    func group(_ name: FilterName) throws(FilterError) -> FilterField {
        let field = try field(name)
        switch field.kind {
        case .keyword, .status, .bool, .int: return field
        default: throw FilterError("GROUP BY is not for \(name.text)", at: name.position)
        }
    }

    func order(_ name: FilterName) throws(FilterError) -> FilterField {
        let field = try field(name)
        guard field.kind != .text, field.kind != .keywordList else {
            throw FilterError("ORDER BY is not for \(name.text)", at: name.position)
        }
        return field
    }

    private func checkOrdered(_ field: FilterField, _ name: FilterName) throws(FilterError) {
        switch field.kind {
        case .text, .keywordList, .bool:
            throw FilterError("\(name.text) can be compared by = and != only", at: name.position)
        default: return
        }
    }

    // MARK: Values

    /// - Returns: nil for what no run can have.
    private func value(_ literal: FilterLiteral, of field: FilterField) throws(FilterError) -> FilterValue? {
        switch field.kind {
        case .keyword, .keywordList, .text:
            guard case .text(let text) = literal.kind else { throw wrong(literal, field, "a text in quotes") }
            return text.holdsNUL ? nil : .text(text)
        case .runID:
            guard case .text(let text) = literal.kind else { throw wrong(literal, field, "a text in quotes") }
            return RunID(text).map { .runID($0) }
        case .int:
            guard let number = literal.integer else { throw wrong(literal, field, "an integer") }
            return .int(number)
        case .double:
            guard let number = literal.double else { throw wrong(literal, field, "a number") }
            return .fraction(number)
        case .bool:
            guard let isTrue = literal.bool else { throw wrong(literal, field, "true or false") }
            return .int(isTrue ? 1 : 0)
        case .status:
            guard let status = literal.status else {
                let names = WorkflowExecutionStatus.inFilters.map(\.name).joined(separator: ", ")
                throw wrong(literal, field, "one of \(names)")
            }
            return .int(Int64(status.rawValue))
        case .time:
            guard let time = literal.time else {
                throw wrong(literal, field, "a time as '2026-01-31T12:00:00Z', or nanoseconds since 1970")
            }
            return .int(time)
        case .duration:
            guard let duration = literal.duration else {
                throw wrong(literal, field, "a duration as '1h30m', or nanoseconds")
            }
            return .int(duration)
        }
    }

    private func wrong(_ literal: FilterLiteral, _ field: FilterField, _ expected: String) -> FilterError {
        FilterError("invalid value for \(field.name): expected \(expected)", at: literal.position)
    }
}

extension FilterLiteral {
    /// Also one that is written with a fraction of zero, or with an exponent.
    fileprivate var integer: Int64? {
        guard case .number(let text) = kind else { return nil }
        return Int64(text) ?? double.flatMap { Int64(exactly: $0) }
    }

    fileprivate var double: Double? {
        guard case .number(let text) = kind else { return nil }
        return JSONNumber(text: text.hasPrefix("+") ? String(text.dropFirst()) : text)?.double
    }

    fileprivate var bool: Bool? {
        if case .bool(let value) = kind { value } else { nil }
    }

    fileprivate var status: WorkflowExecutionStatus? {
        switch kind {
        case .text(let text):
            WorkflowExecutionStatus.inFilters.first {
                $0.name == text || $0.status.description == text
            }?.status
        case .number(let text):
            WorkflowExecutionStatus.inFilters.first { Int64($0.status.rawValue) == Int64(text) }?.status
        case .bool: nil
        }
    }

    fileprivate var time: Int64? {
        switch kind {
        case .number(let text): Int64(text)
        case .text(let text): Instant(rfc3339: text)?.nanoseconds
        case .bool: nil
        }
    }

    fileprivate var duration: Int64? {
        switch kind {
        case .number(let text): Int64(text)
        case .text(let text):
            GoDuration.parse(text).map(\.nanoseconds) ?? Int64(text) ?? Self.clock(text)
        case .bool: nil
        }
    }
}

extension FilterLiteral {
    /// Nanoseconds of a duration as `01:30:00`.
    fileprivate static func clock(_ text: String) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ $0.utf8.count == 2 }) else { return nil }
        let numbers = parts.compactMap { UInt8($0) }
        guard numbers.count == 3, numbers[1] < 60, numbers[2] < 60 else { return nil }
        return (Int64(numbers[0]) * 3_600 + Int64(numbers[1]) * 60 + Int64(numbers[2])) * 1_000_000_000
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}

extension WorkflowExecutionStatus {
    /// The statuses by their names in filters.
    static let inFilters: [(name: String, status: WorkflowExecutionStatus)] = [
        ("Running", .running), ("Completed", .completed), ("Failed", .failed), ("Canceled", .canceled),
        ("Terminated", .terminated), ("ContinuedAsNew", .continuedAsNew), ("TimedOut", .timedOut),
        ("Paused", .paused),
    ]
}
