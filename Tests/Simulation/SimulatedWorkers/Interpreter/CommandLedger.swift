/// The commands of one run that no event has confirmed: those that were sent first, then those that were not.
struct CommandLedger {
    private(set) var open: [ScriptCommand] = []
    private(set) var sent = 0

    mutating func issue(_ command: ScriptCommand) { open.append(command) }

    /// Takes back a command that was not sent. Returns whether there was one.
    mutating func withdraw(where isMeant: (ScriptCommand) -> Bool) -> Bool {
        guard let index = open[sent...].lastIndex(where: isMeant) else { return false }
        open.remove(at: index)
        return true
    }

    /// The commands that were not sent. They count as sent from now on.
    mutating func takeUnsent() -> [ScriptCommand] {
        defer { sent = open.count }
        return Array(open[sent...])
    }

    /// Some worker sent all of them before.
    mutating func markSent() { sent = open.count }

    /// Takes the command that caused an event.
    ///
    /// - Throws: when the code issued another command, or none.
    mutating func confirm(_ event: ScriptEvent) throws(ReplayViolation) -> ScriptCommand {
        guard sent > 0 else {
            throw ReplayViolation("event \(event.id) was caused by no command of the code: \(event.kind)")
        }
        guard open[0].causes(event) == true else {
            throw ReplayViolation("event \(event.id) is \(event.kind), but the code's command was \(open[0])")
        }
        sent -= 1
        return open.removeFirst()
    }

    /// - Throws: when the history lacks a command that was sent.
    func checkConfirmed(before eventID: Int64) throws(ReplayViolation) {
        if sent > 0 { throw ReplayViolation("no event before \(eventID) was caused by the command \(open[0])") }
    }
}

/// A history that does not fit the code that it belongs to. In a simulation the code is right, so the history is not.
public struct ReplayViolation: Error, Equatable, CustomStringConvertible {
    /// What does not fit.
    public let description: String

    init(_ description: String) { self.description = description }
}
