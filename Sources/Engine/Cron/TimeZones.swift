/// Where the rules of time zones come from. The engine reads no files.
public struct TimeZones: Sendable, Equatable {
    private final class Source: Sendable {
        let rules: @Sendable (_ name: String) -> TimeZoneRules?

        init(_ rules: @escaping @Sendable (_ name: String) -> TimeZoneRules?) { self.rules = rules }
    }

    private let source: Source

    /// - Parameter rules: looks up a zone of the IANA database, such as `Europe/Berlin`. It is not asked for UTC.
    public init(_ rules: @escaping @Sendable (_ name: String) -> TimeZoneRules?) { source = Source(rules) }

    /// The rules of the zone with this name; nil when there is none.
    public func rules(_ name: String) -> TimeZoneRules? {
        ["", "UTC", "Local"].contains(name) ? .universal : source.rules(name)
    }

    /// Whether both come from the same place.
    public static func == (left: TimeZones, right: TimeZones) -> Bool { left.source === right.source }

    /// No zone but UTC.
    public static let universalOnly = TimeZones { _ in nil }
}

/// When the clocks of a time zone show what.
public struct TimeZoneRules: Equatable, Sendable {
    /// A time without a change of the clocks.
    struct Period: Equatable {
        /// Seconds east of UTC.
        let offset: Int32
        /// Its first second; `.min` for the first period.
        let start: Int64
        /// The first second behind it; `.max` for the last period.
        let end: Int64

        func contains(_ second: Int64) -> Bool { start <= second && second < end }
    }

    /// The seconds at which the clocks changed, ascending.
    private let changes: [Int64]
    /// The offsets in seconds, one before the first change and one behind each.
    private let offsets: [Int32]
    /// What holds behind the last change; nil when nothing changes any more.
    private let tail: YearlyRule?

    /// - Parameter offsets: one more than `changes`.
    init(changes: [Int64], offsets: [Int32], tail: YearlyRule?) {
        precondition(offsets.count == changes.count + 1, "a time zone has an offset for each period")
        self.changes = changes
        self.offsets = offsets
        self.tail = tail
    }

    /// UTC.
    public static let universal = TimeZoneRules(changes: [], offsets: [0], tail: nil)

    /// The period that holds a second.
    func period(at second: Int64) -> Period {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= second { low = middle + 1 } else { high = middle }
        }
        let start = low == 0 ? .min : changes[low - 1]
        if low == changes.count, let tail {
            let period = tail.period(at: second)
            return Period(offset: period.offset, start: max(period.start, start), end: period.end)
        }
        return Period(offset: offsets[low], start: start, end: low == changes.count ? .max : changes[low])
    }
}
