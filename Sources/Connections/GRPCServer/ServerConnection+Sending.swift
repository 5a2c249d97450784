internal import CSagamoreHTTP2
internal import Glibc

extension ServerConnection {
    enum Writing {
        /// All that there was is written, or the connection is closed.
        case done
        /// The client takes no more for now.
        case waitsForRoom
    }

    /// Writes what there is to be said, in as few pieces as there can be.
    func flush(now: ContinuousClock.Instant) -> Writing {
        while !isClosed {
            fill()
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

    /// Takes bytes from the session until they are enough for one write.
    private func fill() {
        guard let session, outgoing.isEmpty else { return }
        if let tls {
            while tls.isReady, !outgoing.hasEnough, let bytes = session.next() {
                guard tls.send(bytes) else { return close() }
                tls.takeOutgoing(into: &outgoing)
            }
            // What belongs to the handshake itself.
            tls.takeOutgoing(into: &outgoing)
        } else {
            while !outgoing.hasEnough, let bytes = session.next() { outgoing.append(bytes) }
        }
        if session.isBroken { breakOff() }
    }

    private func tellSent() {
        guard !sent.isEmpty else { return }
        let records = sent
        sent = []
        for record in records { record.sent() }
    }

    /// Ends the connection when all is said.
    private func endIfDone(_ now: ContinuousClock.Instant) {
        switch stage {
        case .closed, .lingering: return
        case .open: guard session?.isOver == true else { return }
        case .leaving:
            guard calls.isEmpty else { return }
            session?.goAway(NGHTTP2_NO_ERROR, "")
            fill()
            tls?.finish(into: &outgoing)
            if outgoing.write(to: descriptor) == .broken { return close() }
        }
        dropCalls()
        // Closed with bytes unread, the socket would take back what the client has not read yet.
        shutdown(descriptor, Int32(SHUT_WR))
        let end = now + Self.lingering
        stage = .lingering(until: end)
        times.due(at: end)
    }
}
