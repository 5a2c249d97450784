internal import SagamoreEngine

/// Decides how many runs one step of retention deletes. Journals vary widely in size, and requests wait for the loader
/// during a step. So the number halves after a step that took long, and doubles after one that took little.
struct RetentionStep: Equatable {
    /// A lower limit would cost more in statements than it saves.
    static let lowestLimit = 10
    static let highestLimit = 200
    /// From this duration on, a step is long.
    static let long = Interval.milliseconds(50)
    /// Up to this duration, a step is short.
    static let short = Interval.milliseconds(15)

    /// The most runs of the next step.
    private(set) var limit = 25

    /// A step with this limit took so long.
    mutating func took(_ duration: Interval) {
        if duration >= Self.long {
            limit = max(Self.lowestLimit, limit / 2)
        } else if duration <= Self.short {
            limit = min(Self.highestLimit, limit * 2)
        }
    }
}
