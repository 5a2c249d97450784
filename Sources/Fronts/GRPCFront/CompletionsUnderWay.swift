internal import SagamoreEngine
internal import SagamoreThreads

/// Completions of workflow tasks whose answers are not at their workers yet. A worker whose connection breaks sends its
/// completion again, and both answers have the same eager activities: what one of them delivers must not be returned
/// for the other, or it would run twice as the same attempt.
final class CompletionsUnderWay: Sendable {
    private struct Entry {
        var count = 0
        var isDelivered = false
        /// The activities of answers that did not arrive.
        var lost: [ActivityTaskToken] = []
    }

    /// By the token of the workflow task.
    private let entries = Locked<[[UInt8]: Entry]>([:])

    /// A completion has come.
    func begin(_ task: [UInt8]) { entries.withLock { $0[task, default: Entry()].count += 1 } }

    /// The fate of its answer is known.
    ///
    /// - Parameter activities: those that the answer had.
    /// - Returns: what nobody has got, once no other answer is under way.
    func end(_ task: [UInt8], isDelivered: Bool, _ activities: [ActivityTaskToken] = []) -> [ActivityTaskToken] {
        entries.withLock { entries in
            guard var entry = entries[task] else { return [] }
            entry.count -= 1
            if !activities.isEmpty {
                if isDelivered {
                    entry.isDelivered = true
                } else {
                    entry.lost = activities
                }
            }
            guard entry.count == 0 else {
                entries[task] = entry
                return []
            }
            entries[task] = nil
            return entry.isDelivered ? [] : entry.lost
        }
    }
}
