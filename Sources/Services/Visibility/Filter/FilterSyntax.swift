/// A filter as it is written: what its names mean, and whether its values fit, is not known yet.
struct FilterSyntax: Equatable {
    var condition: FilterNode?
    var groups: [FilterName] = []
    var order: [(name: FilterName, isDescending: Bool)] = []

    static func == (left: FilterSyntax, right: FilterSyntax) -> Bool {
        left.condition == right.condition && left.groups == right.groups
            && left.order.map(\.name) == right.order.map(\.name)
            && left.order.map(\.isDescending) == right.order.map(\.isDescending)
    }
}

/// A name in a filter, and where it stands.
struct FilterName: Equatable {
    let text: String
    let position: Int
}

/// A value in a filter, and where it stands.
struct FilterLiteral: Equatable {
    enum Kind: Equatable {
        case text(String)
        case number(String)
        case bool(Bool)
    }

    let kind: Kind
    let position: Int
}

/// How a filter compares. The raw value is how it is written.
enum FilterComparison: String, Sendable, CaseIterable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    init?(sign: String) {
        switch sign {
        case "==": self = .equal
        case "<>": self = .notEqual
        default: self.init(rawValue: sign)
        }
    }
}

/// A part of a filter.
indirect enum FilterNode: Equatable {
    case and([FilterNode])
    case or([FilterNode])
    case not(FilterNode)
    case comparison(FilterName, FilterComparison, FilterLiteral)
    case between(FilterName, FilterLiteral, FilterLiteral)
    case among(FilterName, [FilterLiteral])
    case startsWith(FilterName, FilterLiteral)
    case isNull(FilterName)
}
