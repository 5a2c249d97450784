/// Lets so much through each second, and a burst of one second's worth. Pure: the time is a parameter.
struct RateBucket: Sendable {
    /// When all that was taken is paid for, in nanoseconds.
    private var paidAt: Int64 = 0

    private static let second: Int64 = 1_000_000_000

    /// Takes an amount at a rate.
    ///
    /// - Returns: nil when it was taken; else how long to wait, in nanoseconds, and nothing was taken.
    mutating func take(_ amount: Int, perSecond rate: Int, at now: Int64) -> Int64? {
        let cost = Self.cost(amount, rate)
        let begin = max(paidAt, now)
        // Something larger than a burst goes once everything before it is paid for.
        let allowed = max(Self.second, cost)
        guard begin + cost - now <= allowed else { return begin + cost - now - allowed }
        paidAt = begin + cost
        return nil
    }

    /// Gives back what was taken for something that did not happen.
    mutating func giveBack(_ amount: Int, perSecond rate: Int) {
        paidAt -= Self.cost(amount, rate)
    }

    /// Rounded down, so that a second has room for as many as its rate says.
    private static func cost(_ amount: Int, _ rate: Int) -> Int64 {
        Int64(Double(amount) / Double(rate) * Double(second))
    }

    func isIdle(at now: Int64) -> Bool { paidAt <= now }
}
