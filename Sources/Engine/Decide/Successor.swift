/// The run that follows the one that a decision ends. Both are committed together, or neither.
public final class Successor: Sendable {
    /// The run's id, from the caller of `decide`.
    public let runID: RunID
    /// The run's start.
    public let start: StartRequest
    /// When it starts.
    public let at: Instant

    init(runID: RunID, start: StartRequest, at: Instant) {
        self.runID = runID
        self.start = start
        self.at = at
    }
}
