internal import Dispatch
internal import Glibc
internal import SagamoreThreads

/// Handles SIGTERM and SIGINT as a request to stop. A second signal ends the process at once.
final class StopSignals: Sendable {
    // Set once. Dispatch objects are thread-safe.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    private static let numbers = [SIGTERM, SIGINT]
    /// The number of listeners. A process may have several workers, and signal actions belong to the process.
    private static let listeners = Locked(0)

    init(_ onSignal: @escaping @Sendable () -> Void) {
        let numbers = Self.numbers
        Self.listeners.withLock { $0 += 1 }
        sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                for number in numbers { signal(number, SIG_DFL) }
                onSignal()
            }
            source.resume()
            return source
        }
    }

    /// Stops listening. Call it once.
    func cancel() {
        for source in sources { source.cancel() }
        let isLast = Self.listeners.withLock { count in
            count -= 1
            return count == 0
        }
        if isLast { for number in Self.numbers { signal(number, SIG_DFL) } }
    }
}
