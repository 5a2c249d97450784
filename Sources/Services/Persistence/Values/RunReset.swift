public import SagamoreEngine

/// A run that begins with the history of another one. The rows of that run's journal are copied in the database,
/// because they may be many, and without their facts, which belong to that run alone.
public struct RunReset: Sendable, Equatable {
    /// The run that begins.
    public let runID: RunID
    /// The run whose history it repeats.
    public let baseRunID: RunID
    /// The last row of the base's journal that is copied, by its number; 0 for none.
    public let throughSequence: Int64
    /// The number of rows to copy: those that hold events. The commit is refused if there are others by then, because
    /// the base was deleted.
    public let rowCount: Int64

    public init(runID: RunID, baseRunID: RunID, throughSequence: Int64, rowCount: Int64) {
        self.runID = runID
        self.baseRunID = baseRunID
        self.throughSequence = throughSequence
        self.rowCount = rowCount
    }
}
