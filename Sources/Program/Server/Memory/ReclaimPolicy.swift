/// Decides when memory that the allocator keeps for reuse goes back to the system.
///
/// A burst of 200,000 commands leaves 20 MB in use and 200 MB of free pages that the allocator keeps. Returning pages
/// under load would only fault them in again, so it waits until the process has been quiet.
struct ReclaimPolicy {
    /// The process is quiet when it used less than this part of one processor since the last look.
    static let quietShare = 0.2
    /// Returning less than this is not worth a walk over the heap.
    static let worthwhile = 16 << 20

    private var residentAfterReclaim: Int

    /// - Parameter resident: the resident memory of the process at the start, in bytes.
    init(resident: Int) { residentAfterReclaim = resident }

    /// Whether to return free pages now.
    ///
    /// - Parameters:
    ///   - resident: the resident memory of the process, in bytes.
    ///   - processorTime: what the process used since the last look.
    ///   - elapsed: the time since the last look.
    mutating func shouldReclaim(resident: Int, processorTime: Duration, elapsed: Duration) -> Bool {
        // Other parts of the process return memory, too; the growth since then counts.
        residentAfterReclaim = min(residentAfterReclaim, resident)
        return resident - residentAfterReclaim >= Self.worthwhile && processorTime < elapsed * Self.quietShare
    }

    /// Free pages were returned, and this is what stayed.
    mutating func reclaimed(resident: Int) { residentAfterReclaim = resident }
}
