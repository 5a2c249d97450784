internal import SagamoreEngine

/// A value that a field is compared with, of the field's kind.
enum FilterValue: Sendable, Equatable {
    case text(String)
    case int(Int64)
    case fraction(Double)
    case runID(RunID)
}

/// A filter whose names are known and whose values fit. It holds, does not hold, or is unknown, as in SQL: a comparison
/// with what a run lacks is unknown, and so is its negation. But for lists and texts it does not hold, and its negation
/// holds, as in Temporal.
indirect enum Condition: Sendable, Equatable {
    case and([Condition])
    case or([Condition])
    case not(Condition)
    case comparison(FilterField, FilterComparison, FilterValue)
    case between(FilterField, FilterValue, FilterValue)
    /// The field is one of these.
    case among(FilterField, [FilterValue])
    case startsWith(FilterField, String)
    case isNull(FilterField)
    /// Holds for no run that has the field: it is compared with what cannot be its value.
    case never(FilterField)
}

/// What a list or a count is about.
struct Filter: Sendable, Equatable {
    /// Which runs; nil: all.
    let condition: Condition?
    /// What a count is divided by; nil: nothing.
    let group: FilterField?
    /// The order of a list; nil: the newest run first.
    let order: FilterOrder?
}

/// The order of a list. What a run lacks counts as more than everything.
struct FilterOrder: Sendable, Equatable {
    /// What decides. Runs that are equal in it are in the order of their ids, which is that of their starts.
    let field: FilterField
    /// Whether the largest is first.
    let isDescending: Bool
}
