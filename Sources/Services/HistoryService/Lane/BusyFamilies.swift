internal import SagamoreEngine

/// Which families of workflows write to a shard without a pause, such as two workflows that signal each other for ever.
/// A root and its children are one family. The items of a busy one can wait for a larger batch; those of the others
/// need not (`CommitPace`).
///
/// Families are told apart by the slice of their root. Two that share one of the 4,096 slices share its count: at worst
/// the quiet one waits as all do under load.
struct BusyFamilies {
    /// A family whose items in a window, or in the one before, exceed this is busy: some 250 a second. A saga of 10
    /// steps has some 40 in its life.
    static let limit: UInt16 = 64
    /// Nanoseconds, as a power of 2: 268 ms.
    private static let windowBits = 28

    private struct Count {
        var window: UInt32 = 0
        var items: UInt16 = 0
        var before: UInt16 = 0
    }

    private var counts: [Count]

    /// - Parameter slices: how many families can be told apart.
    init(slices: Int) {
        counts = Array(repeating: Count(), count: slices)
    }

    /// Counts an item. Returns whether its family is busy.
    ///
    /// - Parameter now: by the steady clock.
    mutating func add(slice: Int, at now: Instant) -> Bool {
        let window = UInt32(truncatingIfNeeded: now.nanoseconds >> Self.windowBits)
        var count = counts[slice]
        if count.window != window {
            count.before = window == count.window &+ 1 ? count.items : 0
            count.items = 0
            count.window = window
        }
        if count.items < .max { count.items += 1 }
        counts[slice] = count
        return count.items > Self.limit || count.before > Self.limit
    }
}
