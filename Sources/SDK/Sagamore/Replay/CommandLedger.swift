internal import SagamoreAPI

/// The commands of one run, compared with its history: the core of replay.
///
/// Code issues a command; the worker sends it, or in replay knows that it was sent; its event confirms it. Events
/// confirm commands in the order in which they were issued.
struct CommandLedger {
    /// The unconfirmed commands: sent ones first, then unsent ones.
    private var open: [IssuedCommand] = []
    private var sent = 0
    /// What waits for an outcome, by the events that began it: activities, children, signals and cancel requests.
    private var initiated: [Int64: Int] = [:]

    /// Adds a command of the code.
    mutating func issue(_ command: IssuedCommand) { open.append(command) }

    /// Removes an unsent command. Returns false when it was sent, or never issued.
    mutating func withdraw(_ kind: IssuedCommand.Kind, _ sequence: Int) -> Bool {
        guard let index = open[sent...].lastIndex(where: { $0.kind == kind && $0.sequence == sequence }) else {
            return false
        }
        open.remove(at: index)
        return true
    }

    /// Returns the unsent commands and marks them as sent.
    mutating func takeUnsent() -> [Command] {
        let commands = open[sent...].compactMap(\.command)
        markSent()
        return commands
    }

    /// Marks all commands as sent. In replay, some worker sent them before.
    mutating func markSent() {
        // Confirming needs only the name, and a run may wait for a long time.
        for index in sent..<open.count { open[index].command = nil }
        sent = open.count
    }

    /// Compares an event with the command that should have caused it.
    ///
    /// - Returns: for a command whose outcome is awaited, the command and its event.
    /// - Throws: when the code issued another command, or none.
    mutating func confirm(_ event: CommandEvent) throws(NondeterminismError) -> (
        command: IssuedCommand, eventID: Int64
    )? {
        guard let command = open.first, sent > 0 else {
            throw NondeterminismError(
                .missingCommand,
                "the code issued no command where the history has one",
                eventID: event.eventID,
                expected: event.description,
                found: "nothing"
            )
        }
        let isSame =
            event.matches(command)
            && (event.kind != .cancelActivity || initiated[event.scheduledEventID] == command.sequence)
        guard isSame else {
            throw NondeterminismError(
                .otherCommand,
                "the code issued a different command than the history has",
                eventID: event.eventID,
                expected: event.description,
                found: command.description
            )
        }
        open.removeFirst()
        sent -= 1
        switch event.kind {
        case .scheduleActivity, .startChild, .signalWorkflow, .cancelWorkflow:
            initiated[event.eventID] = command.sequence
            return (command, event.eventID)
        default: return nil
        }
    }

    /// Checks that every sent command has been confirmed.
    /// - Throws: when the history lacks a command of the code.
    func checkConfirmed(before eventID: Int64) throws(NondeterminismError) {
        guard sent > 0, let command = open.first else { return }
        throw NondeterminismError(
            .surplusCommand,
            "the code issued a command that the history does not have",
            eventID: eventID,
            expected: "nothing more",
            found: command.description
        )
    }

    /// What this event began, if its outcome is awaited.
    func sequence(initiatedBy eventID: Int64) -> Int? { initiated[eventID] }

    /// Removes what has ended.
    mutating func forget(initiatedBy eventID: Int64) { initiated[eventID] = nil }
}
