/// Messages from other workflows that may come again, to the run that follows the one that has taken them.
///
/// A sender repeats a message until it has heard the answer. The answer may be lost, and the receiver may continue as
/// new meanwhile: a message by workflow id alone then reaches the next run. So that run knows the newest messages that
/// the runs before it have taken.
extension Execution {
    /// Of one sender. It sends one after another, so more than the last is a precaution.
    private static var mostOfASender: Int { 16 }
    /// Of all senders.
    private static var mostMessages: Int { 1_000 }

    /// The ids that the next run has to know, the newest first.
    var messageIDsForSuccessor: [String] {
        let messages = durable.requestIDs.compactMap { MessageID($0.text) }.sorted(by: >)
        var counts: [RunID: Int] = [:]
        let newest = messages.filter { message in
            counts[message.sender, default: 0] += 1
            return counts[message.sender, default: 0] <= Self.mostOfASender
        }
        return newest.prefix(Self.mostMessages).map(\.text)
    }
}

/// The id by which the receiver of a message recognizes a repeated one: the sender's run and the event of the message.
struct MessageID: Comparable {
    let sender: RunID
    let eventID: Int64

    init(sender: RunID, eventID: Int64) {
        self.sender = sender
        self.eventID = eventID
    }

    /// Nil for the id of another request.
    init?(_ text: String) {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")), let sender = RunID(String(text[..<slash])),
            let eventID = Int64(text[text.utf8.index(after: slash)...])
        else { return nil }
        self.init(sender: sender, eventID: eventID)
    }

    var text: String { "\(sender)/\(eventID)" }

    /// Run ids begin with the time, so the newest sender is the greatest.
    static func < (left: MessageID, right: MessageID) -> Bool {
        (left.sender, left.eventID) < (right.sender, right.eventID)
    }
}
