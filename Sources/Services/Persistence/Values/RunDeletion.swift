public import SagamoreEngine

/// The deletion of a closed run. Its row stays, without a status, so that an earlier run of the workflow does not take
/// its place. What else is stored of it is erased in steps.
public struct RunDeletion: Sendable, Equatable {
    /// The run.
    public let runID: RunID
    /// The workflow that it belongs to.
    public let key: WorkflowKey

    public init(runID: RunID, key: WorkflowKey) {
        self.runID = runID
        self.key = key
    }
}

/// The most that one step of erasing deleted runs removes.
public struct ErasureLimit: Sendable, Equatable {
    /// The number of runs.
    public let runs: Int
    /// The number of rows of their journals.
    public let rows: Int
    /// About the size of these rows, in bytes; at least one row is removed.
    public let bytes: Int

    public init(runs: Int, rows: Int, bytes: Int) {
        self.runs = runs
        self.rows = rows
        self.bytes = bytes
    }
}

extension RunRow {
    /// Whether the run was deleted: nobody may see it.
    public var isDeleted: Bool { status == .unspecified }
}
