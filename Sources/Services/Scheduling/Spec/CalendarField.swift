internal import SagamoreAPI

/// A field of a calendar: what its values are, and how texts name them. In the order in which errors name them.
enum CalendarField: String, CaseIterable {
    case second = "Second"
    case minute = "Minute"
    case hour = "Hour"
    case dayOfWeek = "DayOfWeek"
    case dayOfMonth = "DayOfMonth"
    case month = "Month"
    case year = "Year"

    /// The least and the greatest value. Days of the week count from Sunday, 0.
    var bounds: ClosedRange<Int> {
        switch self {
        case .second, .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .year: 2_000...2_100
        case .dayOfWeek: 0...6
        }
    }

    /// The bounds of texts, where Sunday is 7, too.
    private var textBounds: ClosedRange<Int> { self == .dayOfWeek ? 0...7 : bounds }

    /// What a text that says nothing of the field means.
    private var textDefault: String {
        switch self {
        case .second, .minute, .hour: "0"
        case .dayOfMonth, .month, .year, .dayOfWeek: "*"
        }
    }

    /// How many letters of a name suffice.
    private var leastLetters: Int { self == .dayOfWeek ? 2 : 3 }

    /// Names of values.
    private var names: [String] {
        switch self {
        case .month:
            [
                "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
                "november", "december",
            ]
        case .dayOfWeek: ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
        default: []
        }
    }

    // MARK: Texts

    /// Reads a list of ranges: `*`, `VALUE` or `FROM-TO`, each with a step behind a slash, separated by commas.
    ///
    /// - Returns: no range for every year.
    func ranges(_ text: String) throws(SpecError) -> [Range] {
        let trimmed = text.trimmed
        let text = trimmed.isEmpty ? textDefault : trimmed
        if self == .year, text == "*" { return [] }
        var ranges: [Range] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            try ranges += self.ranges(of: part)
        }
        return ranges
    }

    private func ranges(of part: Substring) throws(SpecError) -> [Range] {
        let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
        var step = 1
        if pieces.count > 1 {
            guard pieces.count == 2 else { throw SpecError("\(rawValue) has too many slashes") }
            guard let given = Int(pieces[1]) else {
                throw SpecError("strconv.Atoi: parsing \"\(pieces[1].prefix(50))\": invalid syntax")
            }
            guard given >= 1 else { throw invalidStep }
            step = given
        }
        var (start, end) = (bounds.lowerBound, bounds.upperBound)
        if pieces[0] != "*" {
            let ends = pieces[0].split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2 else { throw SpecError("\(rawValue) has too many dashes") }
            guard let first = value(ends[0]) else {
                throw SpecError("\(rawValue) \(ends.count == 2 ? "Start " : "")is not in range \(shown(textBounds))")
            }
            start = first
            if ends.count == 2 {
                guard let last = value(ends[1]), last >= start else { throw invalidEnd(textBounds) }
                end = last
            } else {
                end = pieces.count == 1 ? start : textBounds.upperBound
            }
        }
        var ranges: [Range] = []
        if self == .dayOfWeek, end == 7 {
            // The other name of Sunday, which is the first day.
            end = 6
            if start == step, step == 1 {
                start = 0
            } else if (7 - start) % step == 0, start > 0 {
                ranges.append(Range(0, 0, step: 1))
            }
            if start == 7 { return ranges }
        }
        ranges.append(Range(start, end, step: step))
        return ranges
    }

    private func value(_ text: Substring) -> Int? {
        if text.utf8.count >= leastLetters {
            let lowercased = text.lowercased()
            if let index = names.firstIndex(where: { $0.hasPrefix(lowercased) }) {
                return index + (self == .month ? 1 : 0)
            }
        }
        return Int(text).flatMap { textBounds.contains($0) ? $0 : nil }
    }

    // MARK: Ranges

    /// Fills in what ranges leave out.
    ///
    /// - Parameter problems: what is wrong with them is added.
    func canonical(_ ranges: [Range], _ problems: inout [String]) -> [Range] {
        ranges.map { range in
            let (start, step) = (Int(range.start), Int(range.step))
            let end = range.end == 0 ? start : Int(range.end)
            if !bounds.contains(start) {
                problems.append("\(rawValue) Start is not in range \(shown(bounds))")
            } else if end < start || !bounds.contains(end) {
                problems.append(invalidEnd(bounds).problem)
            }
            if step < 0 { problems.append(invalidStep.problem) }
            return Range(start, end, step: max(step, 1))
        }
    }

    private func shown(_ bounds: ClosedRange<Int>) -> String { "[\(bounds.lowerBound)-\(bounds.upperBound)]" }

    private var invalidStep: SpecError { SpecError("\(rawValue) has invalid Step") }

    private func invalidEnd(_ bounds: ClosedRange<Int>) -> SpecError {
        SpecError("\(rawValue) End is before Start or not in range \(shown(bounds))")
    }
}

extension Range {
    init(_ start: Int, _ end: Int, step: Int) {
        self.init()
        self.start = Int32(start)
        self.end = Int32(end)
        self.step = Int32(clamping: step)
    }
}

extension String {
    /// Without white space around it.
    var trimmed: String {
        var rest = Substring(self)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
