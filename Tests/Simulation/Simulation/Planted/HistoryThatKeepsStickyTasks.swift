internal import SagamoreServices

/// The history service as Matching sees it, with the defect that a sticky task is never offered to others.
///
/// Unchecked: the whole world runs in one thread.
final class HistoryThatKeepsStickyTasks: ReachedHistory, BacklogStore, @unchecked Sendable {
    override func abandonSticky(_ task: MatchingTask) {}

    func pageOut(_ task: MatchingTask) { life.history.pageOut(task) }

    func pageIn(_ queue: TaskQueueKey, limit: Int) { life.history.pageIn(queue, limit: limit) }
}
