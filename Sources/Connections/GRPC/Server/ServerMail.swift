/// Answers and commands from other threads to the server's thread. Calls are answered under the mailbox's lock.
typealias ServerMailbox = LoopMailbox<ServerMail>

/// What other threads pass to the server's thread.
struct ServerMail: LoopMail {
    var answers: [ServerAnswer] = []
    var commands: [ServerCommand] = []

    var isEmpty: Bool { answers.isEmpty && commands.isEmpty }
}

/// The steps of a shutdown, in order.
enum ServerCommand: Sendable {
    /// Stop listening, and send clients a shutdown notice. Calls that still arrive are answered.
    case leave
    /// Close each connection as soon as it has no calls.
    case finish
    /// Cancel the open calls, and close.
    case cancel
    /// Close all connections at once.
    case close
}
