import SagamoreAPI
import SagamoreEngine
import SagamorePersistence

@testable import SagamoreVisibility

/// Decides in plain code whether a condition holds for a run. Nil: unknown.
struct Evaluator {
    let run: VisibleRun

    func holds(_ condition: Condition) -> Bool? {
        switch condition {
        case .and(let parts):
            let outcomes = parts.map(holds)
            return outcomes.contains(false) ? false : outcomes.contains(nil) ? nil : true
        case .or(let parts):
            let outcomes = parts.map(holds)
            return outcomes.contains(true) ? true : outcomes.contains(nil) ? nil : false
        case .not(let part): return holds(part).map { !$0 }
        case .isNull(let field): return values(field).isEmpty
        case .never(let field):
            return field.kind == .keywordList || field.kind == .text || !values(field).isEmpty ? false : nil
        case .comparison(let field, .notEqual, let value):
            return test(field) { Self.compare($0, .equal, value, field.kind) }.map { !$0 }
        case .comparison(let field, let comparison, let value):
            return test(field) { Self.compare($0, comparison, value, field.kind) }
        case .between(let field, let low, let high):
            return test(field) { Self.order($0, low) >= 0 && Self.order($0, high) <= 0 }
        case .among(let field, let values):
            return test(field) { found in values.contains { Self.compare(found, .equal, $0, field.kind) } }
        case .startsWith(let field, let prefix):
            return test(field) { found in
                if case .text(let text) = found { text.utf8.starts(with: prefix.utf8) } else { false }
            }
        }
    }

    /// Whether a test holds for the field's value, or for one of several.
    private func test(_ field: FilterField, _ holds: (FilterValue) -> Bool) -> Bool? {
        let values = values(field)
        if field.kind == .keywordList || field.kind == .text {
            return values.contains(where: holds)
        }
        return values.first.map(holds)
    }

    private static func compare(
        _ found: FilterValue,
        _ comparison: FilterComparison,
        _ value: FilterValue,
        _ kind: FilterKind
    ) -> Bool {
        if kind == .text, case .text(let word) = found, case .text(let text) = value {
            return SearchValue.words(of: text).contains(word)
        }
        let order = order(found, value)
        return switch comparison {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }

    static func order(_ left: FilterValue, _ right: FilterValue) -> Int {
        func sign<Value: Comparable>(_ left: Value, _ right: Value) -> Int { left < right ? -1 : left == right ? 0 : 1 }
        return switch (left, right) {
        case (.int(let left), .int(let right)): sign(left, right)
        case (.fraction(let left), .fraction(let right)): sign(left, right)
        case (.runID(let left), .runID(let right)): sign(left, right)
        case (.text(let left), .text(let right)):
            left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : left.utf8.elementsEqual(right.utf8) ? 0 : 1
        default: preconditionFailure("values of different kinds")
        }
    }

    /// What a field is compared by; none where the run lacks it.
    func values(_ field: FilterField) -> [FilterValue] {
        switch field {
        case .column(.buildIDs): run.buildIDs.map { .text($0) }
        case .column(.binaryChecksums): run.builds.compactMap(\.binaryChecksum).map { .text($0) }
        case .column(let column): value(column).map { [$0] } ?? []
        case .attribute(let attribute):
            switch run.values[attribute.id] {
            case nil: []
            case .text(let text): SearchValue.words(of: text).map { .text($0) }
            case .keyword(let text): [.text(text)]
            case .int(let number): [.int(number)]
            case .double(let number): [.fraction(number)]
            case .bool(let isTrue): [.int(isTrue ? 1 : 0)]
            case .datetime(let at): [.int(at.nanoseconds)]
            case .keywordList(let texts): texts.map { .text($0) }
            }
        }
    }

    private func value(_ column: FilterColumn) -> FilterValue? {
        let executionAt = run.executionAt ?? run.startedAt
        let isClosed = run.closedAt != nil
        switch column {
        case .workflowID: return .text(run.workflowID)
        case .runID: return .runID(run.runID)
        case .workflowType: return .text(run.workflowType)
        case .status: return .int(Int64(run.status.rawValue))
        case .startTime: return .int(run.startedAt.nanoseconds)
        case .closeTime: return run.closedAt.map { .int($0.nanoseconds) }
        case .executionTime: return .int(executionAt.nanoseconds)
        case .duration: return run.closedAt.map { .int(($0 - executionAt).nanoseconds) }
        case .historyLength: return isClosed ? .int(run.historyLength) : nil
        case .historyBytes: return isClosed ? .int(run.historyLength * 100) : nil
        case .transitions: return isClosed ? .int(run.historyLength / 2) : nil
        case .taskQueue: return .text(run.taskQueue)
        case .parentWorkflowID: return run.parent.map { .text($0.workflowID) }
        case .parentRunID: return run.parent.map { .runID($0.runID) }
        case .rootWorkflowID: return .text(run.root?.workflowID ?? run.workflowID)
        case .rootRunID: return .runID(run.root?.runID ?? run.runID)
        case .commandID: return run.commandID.map { .text($0) }
        case .sagaStep: return run.steps.last.map { .text($0) }
        case .buildIDs, .binaryChecksums: preconditionFailure("\(column.rawValue) has several values")
        case .sagaStatus:
            if let saga = run.saga { return .text(saga.name) }
            return run.status == .running ? .text("running") : nil
        }
    }
}
