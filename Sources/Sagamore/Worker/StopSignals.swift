internal import Dispatch

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// SIGTERM and SIGINT as a request to stop. The second one ends the process as if nobody had listened.
final class StopSignals: @unchecked Sendable {
    // Unchecked: the sources are set once, and Dispatch's own objects.
    private let sources: [any DispatchSourceSignal]

    init(_ onSignal: @escaping @Sendable () -> Void) {
        let numbers = [SIGTERM, SIGINT]
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

    /// Listens no longer.
    func cancel() {
        for source in sources { source.cancel() }
        for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
    }
}
