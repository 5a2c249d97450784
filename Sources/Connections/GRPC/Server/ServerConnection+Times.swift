extension ServerConnection {
    /// Does what is due, and sets the time of the next check.
    func checkTimers(_ now: ContinuousClock.Instant) {
        if case .lingering(let until) = stage {
            if now >= until { return close() }
        }
        for ping in pings.due(by: now) { session?.answerPing(ping) }
        switch times.check(at: now, isGreeted: isGreeted, hasCalls: !calls.isEmpty) {
        case .none: break
        case .ping: session?.ping()
        case .close: return close()
        case .leave: leave()
        }
        if case .lingering(let until) = stage { times.due(at: until) }
        if let due = pings.nextAnswer { times.due(at: due) }
        for record in calls.all {
            guard !record.transfer.isSubmitted else { continue }
            if let deadline = record.requestDeadline {
                if now >= deadline {
                    expire(record, "the request did not arrive in time")
                    continue
                }
                times.due(at: deadline)
            }
            guard let deadline = record.deadline else { continue }
            if now >= deadline {
                expire(record, "the call's deadline has passed")
            } else {
                times.due(at: deadline)
            }
        }
    }

    /// Ends a call whose time is up.
    private func expire(_ record: ServerCallRecord, _ reason: String) {
        record.cancel()
        record.transfer.isRefused = true
        record.transfer.isSubmitted = true
        session?.submit(GRPCStatus(.deadlineExceeded, reason), to: record.stream)
    }
}
