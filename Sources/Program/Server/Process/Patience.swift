internal import SagamoreLogging
internal import SagamoreThreads

/// Tries until it works: for what may be away for a while when the process starts.
struct Patience {
    let stop: StopSignal
    let log: Logger

    /// Runs `body` until it returns. Each new reason for a failure is said in one line; the tries come after 0.1 s to 5
    /// s.
    ///
    /// - Parameters:
    ///   - what: what is waited for, the beginning of a sentence: "PostgreSQL".
    ///   - isHopeless: whether trying again can't mend a failure; it is thrown then.
    /// - Throws: a hopeless failure; `ServerError.stopped` when the process is to end.
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
