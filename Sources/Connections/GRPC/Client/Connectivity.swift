internal import SagamoreThreads

/// Where a channel is on its way to a connection. Events return actions; time and chance are parameters.
///
/// All addresses are tried in order. When none can be reached, calls that do not wait fail, and the next attempt comes
/// after a pause that grows.
struct Connectivity<Address: Sendable>: Sendable {
    enum State: Sendable {
        /// Nothing is to be done: no call waits. Can transition to: resolving.
        case idle
        /// The names of the servers are looked up. Can transition to: connecting, pausing.
        case resolving
        /// - Parameter rest: addresses that are tried if this attempt fails.
        ///
        /// Can transition to: connecting, ready, pausing.
        case connecting(rest: ArraySlice<Address>)
        /// Can transition to: idle.
        case ready
        /// Can transition to: resolving, idle.
        case pausing(until: ContinuousClock.Instant)
    }

    enum Action: Sendable {
        /// Look up the names of the servers.
        case resolve
        /// Connect to this address.
        case connect(Address)
        /// Fail the calls that do not wait for a connection.
        case fail(String)
    }

    private(set) var state = State.idle
    /// Why the last attempt failed.
    private(set) var problem: String?
    private var backoff: Backoff

    init(first: Duration, longest: Duration) { backoff = Backoff(first: first, longest: longest) }

    /// Whether a call that does not wait fails at once: the last attempt has failed, and the next one is not due.
    var failsAtOnce: Bool {
        if case .pausing = state { return true }
        return false
    }

    /// When the next attempt is due.
    var due: ContinuousClock.Instant? {
        if case .pausing(let until) = state { return until }
        return nil
    }

    /// A call waits for a connection.
    mutating func wanted() -> Action? {
        guard case .idle = state else { return nil }
        state = .resolving
        return .resolve
    }

    /// The pause is over.
    ///
    /// - Parameter hasCalls: whether a call waits. Without one the next call connects.
    mutating func paused(at now: ContinuousClock.Instant, hasCalls: Bool) -> Action? {
        guard case .pausing(let until) = state, until <= now else { return nil }
        state = hasCalls ? .resolving : .idle
        return hasCalls ? .resolve : nil
    }

    /// The names were looked up.
    mutating func resolved(
        _ addresses: [Address],
        _ problem: String?,
        at now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) -> Action? {
        guard case .resolving = state else { return nil }
        self.problem = problem
        return attempt(addresses[...], at: now, using: &random)
    }

    /// An attempt has succeeded.
    mutating func connected() {
        guard case .connecting = state else { return }
        state = .ready
        problem = nil
        backoff.reset()
    }

    /// An attempt has failed.
    mutating func failed(
        _ reason: String,
        at now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) -> Action? {
        guard case .connecting(let rest) = state else { return nil }
        problem = reason
        return attempt(rest, at: now, using: &random)
    }

    /// The connection has ended, or takes no more calls.
    ///
    /// - Parameter hasCalls: whether a call waits.
    mutating func ended(hasCalls: Bool) -> Action? {
        guard case .ready = state else { return nil }
        state = hasCalls ? .resolving : .idle
        return hasCalls ? .resolve : nil
    }

    private mutating func attempt(
        _ addresses: ArraySlice<Address>,
        at now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) -> Action {
        if let next = addresses.first {
            state = .connecting(rest: addresses.dropFirst())
            return .connect(next)
        }
        state = .pausing(until: now + backoff.next(using: &random))
        return .fail(problem ?? "the names of the servers have no addresses")
    }
}
