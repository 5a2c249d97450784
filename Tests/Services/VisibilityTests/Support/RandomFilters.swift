import SagamoreAPI
import SagamoreEngine
import SagamorePersistence

@testable import SagamoreVisibility

/// Runs and filters by a seed. Values are few, so that comparisons often hold.
struct RandomFilters {
    private var state: UInt64

    init(seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func below(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        var mixed = state
        mixed ^= mixed >> 33
        mixed = mixed &* 0xFF51_AFD7_ED55_8CCD
        mixed ^= mixed >> 33
        return Int(mixed % UInt64(limit))
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }

    static let words = [
        "", "a", "ab", "Ab", "b", "it's", "\"q\"", "back\\slash", "ä", "%", "a_b", "Ω x", "red fox", "$1",
    ]
    private static let times: [Int64] = [-1, 0, 1, 1_000_000_000, 1_749_988_800_000_000_000, 1_749_988_800_000_000_001]
    private static let fractions = [-1.5, 0, 0.1, 1, 1e300]

    mutating func run(_ number: Int) -> VisibleRun {
        var run = VisibleRun(number: number)
        if below(10) == 0 { run.namespace = 2 }
        run.status = pick([.running, .running, .completed, .failed, .canceled, .terminated, .continuedAsNew, .timedOut])
        run.workflowType = pick(["Order", "Payment", "it's", "a"])
        run.taskQueue = pick(["orders", "a", "b"])
        run.startedAt = Instant(nanoseconds: pick(Self.times) + Int64(below(3)))
        if below(3) == 0 { run.executionAt = run.startedAt + .seconds(Int64(below(5))) }
        run.historyLength = Int64(below(6))
        if run.status != .running { run.closedAt = run.startedAt + .seconds(Int64(below(4))) }
        if below(4) == 0 { run.parent = name() }
        if below(4) == 0 { run.root = name() }
        if below(3) == 0 { run.commandID = pick(Self.words) }
        if below(4) == 0 { run.saga = pick(SagaStatus.allCases) }
        if below(3) == 0 { run.steps = Array(["book_car", "book_hotel", "undo_book_car"].prefix(1 + below(3))) }
        if below(2) == 0 { run.builds = builds() }
        for attribute in VisibleWorld.attributes where below(2) == 0 {
            run.values[attribute.id] = value(attribute.type)
        }
        return run
    }

    private mutating func builds() -> [WorkerBuild.Names] {
        [["", "a", "it's"], ["b"], ["", "b"], ["a"]][below(4)].map { id in
            var names = WorkerBuild.Names()
            if below(4) > 0 { names.id = id }
            if below(3) == 0, !id.isEmpty { names.binaryChecksum = id + id }
            return names
        }
    }

    private mutating func name() -> RunName {
        RunName(workflowID: pick(Self.words), runID: RunID(high: 1, low: UInt64(below(3))))
    }

    private mutating func value(_ type: SearchAttributeType) -> SearchAttributeValue {
        switch type {
        case .text: .text((0..<below(4)).map { _ in pick(Self.words) }.joined(separator: " "))
        case .keyword: .keyword(pick(Self.words))
        case .int: .int(Int64(below(4)))
        case .double: .double(pick(Self.fractions))
        case .bool: .bool(below(2) == 0)
        case .datetime: .datetime(Instant(nanoseconds: pick(Self.times)))
        case .keywordList: .keywordList((0..<below(4)).map { _ in pick(Self.words) })
        }
    }

    // MARK: Filters, as text

    mutating func filter(depth: Int = 0) -> String {
        switch depth > 3 ? 0 : below(8) {
        case 0...4: return predicate()
        case 5:
            let parts = (0..<2 + below(2)).map { _ in filter(depth: depth + 1) }
            return parts.joined(separator: pick([" AND ", " and "]))
        case 6:
            let parts = (0..<2 + below(2)).map { _ in filter(depth: depth + 1) }
            return "(" + parts.joined(separator: " OR ") + ")"
        default: return "NOT (\(filter(depth: depth + 1)))"
        }
    }

    private static let fields: [(name: String, kind: FilterKind)] =
        FilterColumn.allCases.map { ($0.rawValue, $0.kind) }
        + VisibleWorld.attributes.map { ($0.name, FilterKind($0.type)) }

    private mutating func predicate() -> String {
        let (name, kind) = pick(Self.fields)
        let shown = below(5) == 0 ? "`\(name)`" : name
        let isOrdered = kind != .text && kind != .keywordList && kind != .bool
        let not = pick([" ", " NOT "])
        switch below(8) {
        case 0: return "\(shown) IS NULL"
        case 1: return "\(shown) is not null"
        case 2:
            let values = (0...below(3)).map { _ in literal(kind) }
            return "\(shown)\(not)IN (\(values.joined(separator: ", ")))"
        case 3 where isOrdered:
            return "\(shown)\(not)BETWEEN \(literal(kind)) AND \(literal(kind))"
        case 4 where kind == .keyword || kind == .keywordList:
            return "\(shown)\(not)STARTS_WITH \(Self.quoted(pick(["", "a", "A", "i", "%"])))"
        case 5, 6:
            guard isOrdered else { fallthrough }
            return "\(shown) \(pick(["<", "<=", ">", ">="])) \(literal(kind))"
        default: return "\(shown) \(pick(["=", "!=", "<>"])) \(literal(kind))"
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }

    private mutating func literal(_ kind: FilterKind) -> String {
        switch kind {
        case .keyword, .keywordList, .text:
            let known = [
                "Order", "running", "compensated", "run 7", "FOX", "book_hotel", "unversioned", "unversioned:a", "aa",
            ]
            return Self.quoted(pick(Self.words + known))
        case .runID:
            return Self.quoted(pick([RunID(high: 1, low: 1), RunID(high: 1, low: 2)].map(\.description) + ["x"]))
        case .int: return "\(below(5))"
        case .double: return "\(pick(Self.fractions))"
        case .bool: return pick(["true", "FALSE"])
        case .status: return pick(["'Running'", "'Failed'", "2", "'TimedOut'"])
        case .time:
            return pick(["0", "-1", "1749988800000000000", "'2025-06-15T12:00:00Z'", "'1970-01-01T00:00:01Z'"])
        case .duration: return pick(["0", "'1s'", "'2s'", "1000000000", "'00:00:03'"])
        }
    }
}
