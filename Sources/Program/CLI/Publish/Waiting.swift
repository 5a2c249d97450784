internal import SagamoreCommandLineArguments

/// Waits for the outcomes of commands.
struct Waiting {
    private var open: [CommandDocument]
    private var isGood = true

    /// After this time without an outcome, it prints what it is waiting for.
    private static let remarkAfter: Duration = .seconds(10)

    init(_ commands: [CommandDocument]) {
        // A command that was sent twice has one outcome.
        open = commands.reduce(into: []) { all, command in
            let isKnown = all.contains {
                $0.commandID == command.commandID && $0.eventsWorkflowID == command.eventsWorkflowID
            }
            if !isKnown { all.append(command) }
        }
    }

    /// Whether every command has its outcome.
    var isDone: Bool { open.isEmpty }

    /// Records an event. Returns false when it belongs to none of the commands.
    mutating func note(_ event: SagaEvent) -> Bool {
        guard let index = open.firstIndex(where: { $0.isMeant(by: event) }) else { return false }
        if event.isLast {
            open.remove(at: index)
            if !event.isGood { isGood = false }
        }
        return true
    }

    /// Shows the events of the commands until every one has its outcome.
    ///
    /// - Parameter next: waits for the next item; nil on timeout.
    /// - Throws: `CommandFailure` on timeout; `ExitCode` when a command did not succeed.
    mutating func run(
        timeout: Duration?,
        format: OutputFormat,
        times: TimeFormat = .iso,
        next: (_ time: Duration) -> TopicReader.Item?
    ) throws {
        let clock = ContinuousClock()
        let end = timeout.map { clock.now + $0 }
        var remarkAt: ContinuousClock.Instant? = clock.now + Self.remarkAfter
        var printer = EventPrinter(format, times: times)
        while !isDone {
            // Checked for every item: a topic may hold more than can be read in time.
            if let end, clock.now >= end {
                throw CommandFailure("no outcome in time of \(names). It may still come: see 'sagamore events tail'")
            }
            if let at = remarkAt, clock.now >= at {
                remarkAt = nil
                StandardError.write(
                    "sagamore: still waiting for \(names): does the service run, and a worker for the task queue?\n"
                )
            }
            let wake = [end, remarkAt].compactMap { $0 }.min()
            switch next(wake.map { $0 - clock.now } ?? .seconds(3600)) {
            case .record(let record)?:
                guard let event = SagaEvent(record), note(event) else { continue }
                StandardOutput.show(printer.text(event), needsReader: false)
            case .trouble(let text)?: StandardError.write("sagamore: \(text); trying again\n")
            case .failed(let text)?: throw CommandFailure("failed to read the events: \(text)")
            case .caughtUp?, nil: break
            }
        }
        if !isGood { throw ExitCode.failure }
    }

    private var names: String {
        let shown = open.prefix(5).map(\.commandID).joined(separator: ", ")
        let more = open.count > 5 ? " and \(open.count - 5) more" : ""
        return (open.count == 1 ? "command " : "commands ") + shown + more
    }
}
