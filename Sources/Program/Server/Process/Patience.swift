internal import SagamoreLogging
internal import SagamoreThreads

/// Retries with backoff, for dependencies that may be unavailable when the process starts.
struct Patience {
    let stop: StopSignal
    let log: Logger

    /// Runs `body` until it succeeds, with delays from 0.1 s to 5 s. Logs each new reason for a failure once.
    ///
    /// - Parameters:
    ///   - what: the name of the dependency: "PostgreSQL".
    ///   - isHopeless: whether a failure is permanent. If so, it is thrown.
    /// - Throws: a permanent failure; `ServerError.stopped` when a stop is requested.
    func wait<Value, Failure: Error>(
        for what: String,
        isHopeless: (Failure) -> Bool = { _ in false },
        describe: (Failure) -> String = { "\($0)" },
        _ body: () throws(Failure) -> Value
    ) throws -> Value {
        var backoff = Backoff(longest: .seconds(5))
        var said = ""
        while true {
            if stop.given != nil { throw ServerError.stopped }
            do throws(Failure) {
                let value = try body()
                if !said.isEmpty { log.info("\(what) is reachable again") }
                return value
            } catch {
                if isHopeless(error) { throw error }
                let reason = describe(error)
                if reason != said { log.warning("cannot reach \(what), retrying: \(reason)") }
                said = reason
            }
            if stop.wait(for: backoff.next()) != nil { throw ServerError.stopped }
        }
    }
}
