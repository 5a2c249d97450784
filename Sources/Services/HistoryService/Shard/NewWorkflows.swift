internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// Decides which starts may assume that their workflow is new, without a lookup.
///
/// Nearly all workflows are new, and a lookup costs a round trip and wakes two threads. The commit checks the
/// assumption. If it was wrong, the start is looked up after all, and its batch is split. So for a while after a wrong
/// assumption all starts are looked up. Starts of workflows that had a run here recently always are.
struct NewWorkflows {
    /// Hashes of keys. A collision costs a lookup.
    private var recent = RecentSet<UInt64>(capacity: 1 << 16)
    private var startsToLookUp = 0

    /// How many starts are looked up after a wrong assumption.
    static let caution = 1_000

    /// Whether a start may assume that its workflow, which is not in memory, is new.
    mutating func assumes(_ key: WorkflowKey) -> Bool {
        guard startsToLookUp == 0 else {
            startsToLookUp -= 1
            return false
        }
        return !recent.contains(SliceTable.hash(of: key))
    }

    /// A run of the workflow started.
    mutating func began(_ key: WorkflowKey) { recent.insert(SliceTable.hash(of: key)) }

    mutating func wasWrong() { startsToLookUp = Self.caution }
}
