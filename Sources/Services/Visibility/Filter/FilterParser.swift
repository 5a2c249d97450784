/// Reads a filter: comparisons, joined by AND, OR, NOT and parentheses, then GROUP BY and ORDER BY.
struct FilterParser {
    private let tokens: [FilterToken]
    private var index = 0
    private var depth = 0
    private var terms = 0

    /// The deepest nesting of parentheses and NOT.
    static let depthLimit = 100
    /// The most comparisons, each value of an IN counting as one.
    static let termLimit = 2_000

    static func parse(_ text: String) throws(FilterError) -> FilterSyntax {
        var parser = FilterParser(tokens: try FilterLexer.tokens(of: text))
        return try parser.filter()
    }

    private init(tokens: [FilterToken]) { self.tokens = tokens }

    private var next: FilterToken { tokens[index] }

    private mutating func advance() { index = min(index + 1, tokens.count - 1) }

    private func isKeyword(_ word: String, ahead: Int = 0) -> Bool {
        let place = index + ahead
        guard place < tokens.count, case .word(let text) = tokens[place].kind else { return false }
        return text.uppercased() == word
    }

    private mutating func take(_ word: String) -> Bool {
        guard isKeyword(word) else { return false }
        advance()
        return true
    }

    private mutating func take(sign: String) -> Bool {
        guard next.kind == .sign(sign) else { return false }
        advance()
        return true
    }

    private func expected(_ what: String) -> FilterError {
        FilterError("expected \(what), found \(next.description)", at: next.position)
    }

    private mutating func expect(sign: String) throws(FilterError) {
        guard take(sign: sign) else { throw expected("'\(sign)'") }
    }

    // MARK: The whole

    private mutating func filter() throws(FilterError) -> FilterSyntax {
        var filter = FilterSyntax()
        if next.kind != .end, !isClause { filter.condition = try alternatives() }
        if isKeyword("GROUP") {
            advance()
            guard take("BY") else { throw expected("BY") }
            repeat { filter.groups.append(try name()) } while take(sign: ",")
        }
        if isKeyword("ORDER") {
            advance()
            guard take("BY") else { throw expected("BY") }
            repeat {
                let name = try name()
                let isDescending = take("DESC")
                if !isDescending { _ = take("ASC") }
                filter.order.append((name, isDescending))
            } while take(sign: ",")
        }
        guard next.kind == .end else {
            throw expected(filter.condition == nil ? "the end" : "AND, OR or the end")
        }
        return filter
    }

    private var isClause: Bool {
        (isKeyword("GROUP") || isKeyword("ORDER")) && isKeyword("BY", ahead: 1)
    }

    // MARK: Conditions

    private mutating func alternatives() throws(FilterError) -> FilterNode {
        var nodes = [try conjunction()]
        while take("OR") { nodes.append(try conjunction()) }
        return nodes.count == 1 ? nodes[0] : .or(nodes)
    }

    private mutating func conjunction() throws(FilterError) -> FilterNode {
        var nodes = [try term()]
        while take("AND") { nodes.append(try term()) }
        return nodes.count == 1 ? nodes[0] : .and(nodes)
    }

    private mutating func term() throws(FilterError) -> FilterNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else {
            throw FilterError("more than \(Self.depthLimit) parentheses and NOTs inside each other", at: next.position)
        }
        if isKeyword("NOT") {
            advance()
            return .not(try term())
        }
        if take(sign: "(") {
            let node = try alternatives()
            guard take(sign: ")") else { throw expected("AND, OR or ')'") }
            return node
        }
        return try predicate(try name())
    }

    private mutating func predicate(_ name: FilterName) throws(FilterError) -> FilterNode {
        if take("IS") {
            let isNegated = take("NOT")
            guard take("NULL") else { throw expected(isNegated ? "NULL" : "NULL or NOT NULL") }
            try count()
            return isNegated ? .not(.isNull(name)) : .isNull(name)
        }
        let isNegated = take("NOT")
        if let node = try listed(name) { return isNegated ? .not(node) : node }
        guard !isNegated else { throw expected("BETWEEN, IN or STARTS_WITH") }
        guard case .sign(let sign) = next.kind, let comparison = FilterComparison(sign: sign) else {
            throw expected("a comparison (=, !=, <, <=, >, >=, BETWEEN, IN, STARTS_WITH, IS)")
        }
        advance()
        return .comparison(name, comparison, try literal())
    }

    /// A comparison that may stand behind NOT.
    private mutating func listed(_ name: FilterName) throws(FilterError) -> FilterNode? {
        if take("BETWEEN") {
            let low = try literal()
            guard take("AND") else { throw expected("AND") }
            return .between(name, low, try literal())
        }
        if take("IN") {
            try expect(sign: "(")
            var values: [FilterLiteral] = []
            repeat { values.append(try literal()) } while take(sign: ",")
            guard take(sign: ")") else { throw expected("',' or ')'") }
            return .among(name, values)
        }
        if take("STARTS_WITH") { return .startsWith(name, try literal()) }
        return nil
    }

    private static let reserved: Set<String> = [
        "AND", "OR", "NOT", "BETWEEN", "IN", "IS", "NULL", "STARTS_WITH", "GROUP", "ORDER", "BY", "ASC", "DESC", "TRUE",
        "FALSE",
    ]

    private mutating func name() throws(FilterError) -> FilterName {
        let token = next
        switch token.kind {
        case .word(let text) where !Self.reserved.contains(text.uppercased()):
            advance()
            return FilterName(text: text, position: token.position)
        case .name(let text):
            advance()
            return FilterName(text: text, position: token.position)
        default: throw expected("the name of an attribute")
        }
    }

    private mutating func literal() throws(FilterError) -> FilterLiteral {
        try count()
        let token = next
        let kind: FilterLiteral.Kind
        switch token.kind {
        case .text(let text): kind = .text(text)
        case .number(let text): kind = .number(text)
        case .word(let text) where text.uppercased() == "TRUE": kind = .bool(true)
        case .word(let text) where text.uppercased() == "FALSE": kind = .bool(false)
        default: throw expected("a value (a text in quotes, a number, true or false)")
        }
        advance()
        return FilterLiteral(kind: kind, position: token.position)
    }

    private mutating func count() throws(FilterError) {
        terms += 1
        guard terms <= Self.termLimit else {
            throw FilterError("the filter has more than \(Self.termLimit) comparisons", at: next.position)
        }
    }
}
