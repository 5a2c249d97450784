internal import CSagamoreGRPC

extension ServerRuntime {
    /// Ends the server; later callers wait until it is over.
    func shutdown(grace: Duration) {
        let isFirst = progress.withLock { progress in
            defer { progress.isEnding = true }
            return !progress.isEnding
        }
        guard isFirst else {
            progress.wait(until: { $0.isOver })
            return
        }
        let end = ContinuousClock.now.advanced(by: grace)
        health.drain()
        isDraining.store(true, ordering: .relaxed)
        waitUntilNoCallsCome(atMost: min(grace, .milliseconds(500)))
        // Tells clients to go elsewhere, closes the listener and gives the posted requests back.
        grpc_server_shutdown_and_notify(server, queues[0], ServerTag.shutdown)
        if progress.wait(atMost: end - .now, for: { $0.isQuiet ? true : nil }) == nil {
            let late = calls.close() ?? []
            if !late.isEmpty { log(.info, "\(late.count) calls are cancelled: the server ends") }
            grpc_server_cancel_all_calls(server)
            for record in late { record.abandon() }
            progress.wait(until: { $0.isQuiet })
        }
        discard()
        progress.change { $0.isOver = true }
    }

    /// Waits while new calls are answered UNAVAILABLE, until for a moment none comes.
    ///
    /// From the next step on the C core itself ends the calls that are on their way to us, with CANCELLED, which no
    /// client tries again after. So clients first hear from us to wait a little, and that step is taken when they do.
    private func waitUntilNoCallsCome(atMost limit: Duration) {
        let end = ContinuousClock.now.advanced(by: limit)
        var seen = 0
        while ContinuousClock.now < end {
            let before = seen
            guard
                let now = progress.wait(
                    atMost: .milliseconds(20),
                    for: { $0.refused > before ? $0.refused : nil }
                )
            else { return }
            seen = now
        }
    }
}
