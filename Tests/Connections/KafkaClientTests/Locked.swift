import Foundation

/// A value that one thread at a time may touch. Not the standard library's `Mutex`: ThreadSanitizer does not see that one's
/// slow path, and would report races that are none.
final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: sending Value) { self.value = value }

    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
