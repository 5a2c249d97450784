internal import CSagamoreHTTP2
internal import Glibc

extension ServerConnection {
    enum Writing {
        /// Everything is written, or the connection is closed.
        case done
        /// The socket accepts no more bytes for now.
        case waitsForRoom
    }

    /// Writes all pending output, in as few writes as possible.
    func flush(now: ContinuousClock.Instant) -> Writing {
        while !isClosed {
            fillOrClose()
            if outgoing.isEmpty { break }
            switch outgoing.write(to: descriptor) {
            case .written: tellSent()
            case .full: return .waitsForRoom
            case .broken: close()
            }
        }
        endIfDone(now)
        return .done
    }

    private func fillOrClose() {
        guard fill() else { return close() }
        if session?.isBroken == true { endAfterProtocolError() }
    }

    private func tellSent() {
        guard !sent.isEmpty else { return }
        let records = sent
        sent = []
        for record in records { record.sent() }
    }

    /// Closes the sending side when everything is written and the connection is to end.
    private func endIfDone(_ now: ContinuousClock.Instant) {
        switch stage {
        case .closed, .lingering: return
        case .open: guard session?.isOver == true else { return }
        case .leaving:
            guard calls.isEmpty else { return }
            session?.goAway(NGHTTP2_NO_ERROR, "")
            fillOrClose()
            tls?.finish(into: &outgoing)
            if outgoing.write(to: descriptor) == .broken { return close() }
        }
        dropCalls()
        // Not close: with unread input, that would discard output that the client has not read yet.
        shutdown(descriptor, Int32(SHUT_WR))
        let end = now + Self.lingering
        stage = .lingering(until: end)
        times.due(at: end)
    }
}
