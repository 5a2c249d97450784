package import SagamoreEngine

/// A part of a history service that a simulation steps: a lane, a loader, a timer.
///
/// Unchecked: the whole simulation runs in one thread.
package final class SteppedMember: @unchecked Sendable {
    /// When the next step is due.
    package enum Next: Equatable {
        /// At this time by the steady clock, or when the member is rung.
        case at(Instant)
        /// When the member is rung.
        case whenRung
        /// Never.
        case ended
    }

    /// What a log calls it.
    package let label: StaticString
    /// Counts the members of a service, from 0.
    package let number: Int

    /// What a step waits for.
    enum Wait {
        case until(Instant)
        case ring
        /// Rings do not count until then.
        case pause(until: Instant)
        case end
    }

    private let body: () -> Wait
    private let onRing: (SteppedMember) -> Void
    /// Whether it is in a step, perhaps in a call of a store.
    private(set) var isStepping = false
    private var isRung = false
    private var isDeaf = false

    init(
        _ label: StaticString,
        number: Int,
        onRing: @escaping (SteppedMember) -> Void,
        body: @escaping () -> Wait
    ) {
        self.label = label
        self.number = number
        self.onRing = onRing
        self.body = body
    }

    /// One step. It blocks only in calls of a store.
    ///
    /// - Parameter now: by the steady clock.
    package func step(at now: Instant) -> Next {
        precondition(!isStepping, "a member is stepped within its own step")
        isStepping = true
        isRung = false
        isDeaf = false
        let wait = body()
        isStepping = false
        switch wait {
        case .until(let wake): return .at(isRung ? now : wake)
        case .ring: return isRung ? .at(now) : .whenRung
        case .pause(let wake):
            isDeaf = true
            return .at(wake)
        case .end:
            isDeaf = true
            return .ended
        }
    }

    func ring() {
        if isStepping {
            isRung = true
        } else if !isDeaf {
            onRing(self)
        }
    }
}
