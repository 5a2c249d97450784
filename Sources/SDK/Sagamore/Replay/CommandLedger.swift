internal import SagamoreAPI

/// The commands of one run, and the comparison with what the history says: the heart of replay.
///
/// A command is issued by code, sent (or, in replay, known to have been sent), and confirmed by its event. Events
/// confirm commands in the order in which they were issued.
struct CommandLedger {
    /// Those that are not confirmed: first what was sent, then what was not.
    private var open: [IssuedCommand] = []
    private var sent = 0
    /// The event in which each activity was scheduled.
    private var scheduled: [Int64: Int] = [:]

    /// Code wants something.
    mutating func issue(_ command: IssuedCommand) { open.append(command) }

    /// Takes a command back that was not sent. False when it was sent, or never issued.
    mutating func withdraw(_ kind: IssuedCommand.Kind, _ sequence: Int) -> Bool {
        guard let index = open[sent...].lastIndex(where: { $0.kind == kind && $0.sequence == sequence }) else {
            return false
        }
        open.remove(at: index)
        return true
    }

    /// The commands that the server has not seen. From now on they count as sent.
    mutating func takeUnsent() -> [Command] {
        let commands = open[sent...].compactMap(\.command)
        markSent()
        return commands
    }

    /// The activation is one that the history has already: its commands were sent by somebody.
    mutating func markSent() {
        // What confirms it needs its name only, and a run may wait for long.
        for index in sent..<open.count { open[index].command = nil }
        sent = open.count
    }

    /// Compares an event with the command that should have caused it.
    ///
    /// - Returns: for a scheduled activity its sequence number and its event.
    /// - Throws: when it is not what the code did.
    mutating func confirm(_ event: CommandEvent) throws(DeterminismViolation) -> (sequence: Int, eventID: Int64)? {
        guard let command = open.first, sent > 0 else {
            throw DeterminismViolation(
                .missingCommand,
                "the code does nothing where the history goes on",
                eventID: event.eventID,
                expected: event.description,
                found: "nothing"
            )
        }
        let isSame: Bool =
            switch event.kind {
            case command.kind where event.kind == .cancelActivity:
                scheduled[event.scheduledEventID] == command.sequence
            case command.kind where event.id != nil:
                event.id == String(command.sequence) && event.name == command.name
            case command.kind: true
            default: false
            }
        guard isSame else {
            throw DeterminismViolation(
                .otherCommand,
                "the code does something else than the history says",
                eventID: event.eventID,
                expected: event.description,
                found: command.description
            )
        }
        open.removeFirst()
        sent -= 1
        guard event.kind == .scheduleActivity else { return nil }
        scheduled[event.eventID] = command.sequence
        return (command.sequence, event.eventID)
    }

    /// All that was sent has to be confirmed by now.
    /// - Throws: when the history lacks something that the code did.
    func checkConfirmed(before eventID: Int64) throws(DeterminismViolation) {
        guard sent > 0, let command = open.first else { return }
        throw DeterminismViolation(
            .surplusCommand,
            "the code does something that the history does not have",
            eventID: eventID,
            expected: "nothing more",
            found: command.description
        )
    }

    /// Which activity was scheduled in this event.
    func activity(scheduledIn eventID: Int64) -> Int? { scheduled[eventID] }

    /// The activity's last event came: nothing of it is needed any more.
    mutating func forget(scheduledIn eventID: Int64) { scheduled[eventID] = nil }
}
