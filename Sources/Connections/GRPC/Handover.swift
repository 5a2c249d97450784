internal import Synchronization

/// Marks that what one thread has written goes to another through the C core, whose own synchronisation neither Swift's
/// memory model nor ThreadSanitizer sees. Costs nothing on the processors in use.
struct Handover: ~Copyable, Sendable {
    private let mark = Atomic(false)

    /// Before something is given to the C core.
    func give() { mark.store(true, ordering: .releasing) }

    /// After the C core has given it back.
    func take() { _ = mark.load(ordering: .acquiring) }
}
