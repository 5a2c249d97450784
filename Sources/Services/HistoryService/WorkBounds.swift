/// Bounds what one turn of a loader reads, and what is decided in one hold of a shard's lock. A simulation draws
/// smaller bounds than those of production, so that they are reached.
package struct WorkBounds: Sendable {
    /// Lookups of one query, and runs that are brought back in one turn.
    package var lookUps = 256
    /// The size of a page of journals or heartbeats, in bytes. The last row may go beyond it.
    package var pageBytes = 4 << 20
    /// The bytes of history that all loaded runs of a shard together keep in memory.
    package var tailBytes = 32 << 20
    /// Workflows that are settled in one hold after they were read.
    package var settledRuns = 64
    /// Runs whose deadlines are handled in one hold.
    package var dueRuns = 200
    /// The same of late work beside a lane that is half full: with a part every 5 ms, 2,000 runs a second.
    package var lateDueRuns = 10
    /// Entries of these runs' journals after which the hold ends.
    package var dueEntries = 1_000
    /// Idle runs that one sweep looks at.
    package var idleRuns = 2_000

    /// The bounds of production.
    package init() {}
}

/// What was done in one hold of a shard's lock, for the checks of a simulation.
package struct HoldWork: Sendable, Equatable {
    /// Decisions that were applied.
    package private(set) var decisions = 0
    /// The entries of all decisions, and of the last one.
    package private(set) var entries = 0
    package private(set) var lastEntries = 0
    /// Workflows and closed runs that were settled after they were read.
    package var settled = 0
    /// Runs that began to leave memory.
    package var left = 0

    mutating func decided(_ count: Int) {
        decisions &+= 1
        entries &+= count
        lastEntries = count
    }
}
