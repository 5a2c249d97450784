public import SagamoreAPI
internal import SagamoreProtobuf

/// An update that the history shows and that has no outcome yet.
public enum OpenUpdate: Equatable, Sendable {
    /// Carried over by a reset, with the id of its event. The workflow has yet to accept it.
    ///
    /// Can transition to: accepted, or gone when it is rejected.
    case admitted(eventID: Int64)
    /// Accepted by the workflow, with the id of that event.
    ///
    /// Can transition to: completed, that is among `DurableState.completedUpdates`.
    case accepted(eventID: Int64)
}

/// An update that no event shows: the workflow has not accepted it yet. It is lost with the process, and its caller
/// sends it again.
public struct PendingUpdate: Sendable {
    /// The id, unique among the updates of the run.
    public let id: String
    /// What the caller asks for.
    public let request: Request
    /// Whether the running workflow task carries it.
    public internal(set) var isSent = false

    init(_ update: UpdateRequest) {
        id = update.id
        request = update.request
    }

    /// The message that takes the update to a worker.
    ///
    /// - Parameter eventID: the event behind which the worker has to handle it.
    func message(behind eventID: Int64) -> ProtocolMessage {
        var message = ProtocolMessage()
        message.id = Self.messageID(of: id)
        message.protocolInstanceID = id
        message.sequencingID = .eventID(eventID)
        message.body = ProtobufAny(packing: request)
        return message
    }

    /// The id of the message that takes an update to a worker.
    static func messageID(of updateID: String) -> String { updateID + "/request" }
}

/// How far an update has come.
public enum UpdateProgress: Equatable, Sendable {
    /// It waits for the workflow's word.
    case admitted
    /// The workflow has accepted it, and works on it.
    case accepted
    /// It has an outcome, which is in the event with this id.
    case completed(eventID: Int64)
    /// The run closed after it was accepted and before it was completed.
    case abandoned
}

/// What a decision means for the callers of an update.
public struct UpdateNews: Sendable {
    /// The update.
    public let id: String
    /// What became of it.
    public let kind: Kind

    /// What became of an update.
    public enum Kind: Sendable {
        /// The workflow has accepted it.
        case accepted
        /// It has an outcome: it was completed or rejected, or its run has closed.
        case ended(Outcome)
        /// It was not carried out.
        case failed(RequestError)
    }
}
