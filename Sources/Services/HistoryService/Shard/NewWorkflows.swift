internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// Which starts may take their workflow to be new, without asking the database first.
///
/// Nearly all are, and asking takes a round trip and a wake of two threads. The commit checks what was assumed; where
/// it was wrong the start is looked up after all. Since a batch that holds a wrong one is taken apart, starts are not
/// assumed for a while after that, nor those of workflows that had a run here lately.
struct NewWorkflows {
    /// Hashes: one that two workflows share costs a look-up.
    private var recent = RecentSet<UInt64>(capacity: 1 << 16)
    private var startsToLookUp = 0

    /// How many starts are looked up after a wrong assumption.
    static let caution = 1_000

    /// Whether the start of a workflow that is not in memory may go on.
    mutating func assumes(_ key: WorkflowKey) -> Bool {
        guard startsToLookUp == 0 else {
            startsToLookUp -= 1
            return false
        }
        return !recent.contains(SliceTable.hash(of: key))
    }

    /// A run of the workflow begins.
    mutating func began(_ key: WorkflowKey) { recent.insert(SliceTable.hash(of: key)) }

    mutating func wasWrong() { startsToLookUp = Self.caution }
}
