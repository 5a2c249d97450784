internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// What workflow code decides: mostly what it could, now and then what it must not.
extension World {
    private enum Kind {
        case activity, cancelActivity, timer, cancelTimer, marker, attributes, memo
        case complete, fail, compensate, cancel, continueAsNew, bad, child
    }

    func commands() -> [Command] {
        var commands: [Command] = []
        for _ in 0..<Int.random(in: 0...4, using: &random) { commands.append(command(commands)) }
        return commands
    }

    private func command(_ before: [Command]) -> Command {
        let kind = random.pick([
            (400, Kind.activity), (110, .cancelActivity), (180, .timer), (60, .cancelTimer), (50, .marker),
            (40, .attributes), (40, .memo), (14, .complete), (14, .fail), (8, .compensate), (8, .cancel),
            (8, .continueAsNew), (36, .bad), (160, .child),
        ])
        switch kind {
        case .activity: return activity(before)
        case .cancelActivity:
            let state = execution.durable
            // The next activity's id is not known to workflow code, but it can be guessed: five events on, or so.
            let next = state.lastEventID + Int64.random(in: 3...4, using: &random)
            let running = state.activities.values.filter(\.isStarted)
            let ids =
                state.activities.keys.sorted()
                + running.flatMap { [$0.scheduledEventID, $0.scheduledEventID] }.sorted()
                + (before.isEmpty ? [] : [next])
            guard let id = ids.randomElement(using: &random) else { return Samples.marker("nothing to cancel") }
            return Samples.cancelActivity(id)
        case .timer:
            let wait = random.once(in: 8) ? Interval.zero : interval(.milliseconds(1), .seconds(20))
            return Samples.startTimer(freshName("timer", not: execution.durable.timerIDs, before), wait)
        case .cancelTimer:
            let buffered = execution.durable.bufferedEvents.compactMap { event -> String? in
                guard case .timerFiredEventAttributes(let attributes) = event.attributes else { return nil }
                return attributes.timerID
            }
            let ids = execution.durable.timerIDs.keys.map(\.text).sorted() + buffered + buffered
            guard let id = ids.randomElement(using: &random) else { return Samples.marker("nothing to cancel") }
            return Samples.cancelTimer(id)
        case .marker: return Samples.marker("version", details: random.once(in: 2) ? [:] : ["a": "1", "b": "2"])
        case .attributes: return Samples.upsertSearchAttributes(["Place": name("x"), name("Key"): "y"])
        case .memo: return Samples.modifyMemo([name("a"): "changed", "b": random.once(in: 2) ? nil : "3"])
        case .complete: return Samples.complete(random.once(in: 3) ? nil : "done")
        case .fail: return Samples.fail(Samples.failure("no way"))
        case .compensate: return Samples.fail(Samples.failure("rolled back", type: "SagaCompensated"))
        case .cancel: return Samples.cancelWorkflow(random.once(in: 2) ? nil : "undone")
        case .continueAsNew: return continueAsNew()
        case .bad: return bad()
        case .child: return childCommand(["child-1", "child-2", name("other")])
        }
    }

    private func name(_ prefix: String) -> String { "\(prefix)-\(Int.random(in: 0..<6, using: &random))" }

    /// A name that is not in use, most of the time.
    private func freshName(_ prefix: String, not used: [ExactText: Int64], _ before: [Command]) -> String {
        var chosen = name(prefix)
        while used[ExactText(chosen)] != nil || before.contains(where: { $0.names(chosen) }), !random.once(in: 8) {
            chosen = name(prefix) + "-\(execution.durable.lastEventID)-\(before.count)"
        }
        return chosen
    }

    private func activity(_ before: [Command]) -> Command {
        Samples.schedule(freshName("activity", not: execution.durable.activityIDs, before)) { attributes in
            attributes.requestEagerExecution = random.once(in: 3)
            if random.once(in: 3) { attributes.heartbeatTimeout = interval(.seconds(1), .seconds(4)).duration }
            if random.once(in: 4) { attributes.scheduleToStartTimeout = interval(.seconds(1), .seconds(9)).duration }
            if random.once(in: 4) { attributes.scheduleToCloseTimeout = interval(.seconds(3), .seconds(20)).duration }
            if random.once(in: 6) { attributes.taskQueue = Samples.queue("elsewhere") }
            if random.once(in: 5) { attributes.input = random.once(in: 2) ? nil : RawMessage() }
            if random.once(in: 3) {
                var policy = RetryPolicy()
                policy.maximumAttempts = Int32.random(in: 0...3, using: &random)
                policy.initialInterval = interval(.milliseconds(1), .seconds(2)).duration
                policy.backoffCoefficient = 1.5
                policy.nonRetryableErrorTypes = ["Fatal"]
                attributes.retryPolicy = policy
            }
        }
    }

    private func continueAsNew() -> Command {
        Samples.continueAsNew { attributes in
            attributes.initiator = random.pick([(2, .unspecified), (1, .workflow), (1, .retry)])
            if random.once(in: 3) { attributes.backoffStartInterval = interval(.zero, .seconds(9)).duration }
            if random.once(in: 3) { attributes.workflowRunTimeout = interval(.seconds(5), .seconds(90)).duration }
            if random.once(in: 3) { attributes.memo = Samples.memo(["a": "1"]) }
            if random.once(in: 3) { attributes.retryPolicy = RetryPolicy() }
            if random.once(in: 3) { attributes.cronSchedule = random.once(in: 3) ? "nonsense" : "@hourly" }
            if random.once(in: 3) { attributes.input = nil }
        }
    }

    /// A command that can't be carried out.
    private func bad() -> Command {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: Samples.schedule("")
        case 1: Samples.schedule("negative") { $0.heartbeatTimeout?.seconds = -1 }
        case 2: Samples.schedule("without a timeout") { $0.startToCloseTimeout = nil }
        case 3: Samples.cancelActivity(10_000)
        case 4: Samples.startTimer("", .seconds(1))
        case 5: Samples.cancelTimer("unknown")
        case 6: Samples.marker("")
        case 7, 10: Samples.fail(nil)
        case 8: Samples.scheduleNexusOperation()
        case 11: Samples.continueAsNew { $0.taskQueue = Samples.queue("/_sys/queue") }
        default: Samples.complete(String(repeating: "x", count: 200))
        }
    }
}

extension Command {
    fileprivate func names(_ id: String) -> Bool {
        switch attributes {
        case .scheduleActivityTaskCommandAttributes(let attributes): attributes.activityID == id
        case .startTimerCommandAttributes(let attributes): attributes.timerID == id
        default: false
        }
    }
}
