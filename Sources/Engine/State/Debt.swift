/// What a run owes another execution: a message that the other side has not confirmed yet.
///
/// A debt is part of the durable state from the transition that causes it until the one that records the answer. So it
/// is sent again after a recovery, and the receiver has to recognize it: by the sender's run id and `eventID`.
public struct Debt: Equatable, Sendable {
    /// The id of the event that the debt comes from.
    public let eventID: Int64
    /// What is owed.
    public let kind: Kind

    /// What is owed, with what the delivery needs.
    public enum Kind: Equatable, Sendable {
        /// A child tells its parent how it ended. The details name the parent.
        case reportToParent(details: [UInt8])
    }

    public init(eventID: Int64, _ kind: Kind) {
        self.eventID = eventID
        self.kind = kind
    }
}

/// How far a run has come, as far as its owner has to care.
public enum RunLife: Equatable, Sendable {
    /// Its workflow can go on. Can transition to: closedWithDebts, done.
    case open
    /// Its workflow has ended, and the run still owes something: it stays with its owner, beside the run that may
    /// follow it. Can transition to: done.
    case closedWithDebts
    /// Its workflow has ended and the run owes nothing. Terminal.
    case done
}

extension DurableState {
    /// How far the run has come.
    public var life: RunLife { isRunning ? .open : debts.isEmpty ? .done : .closedWithDebts }
}
