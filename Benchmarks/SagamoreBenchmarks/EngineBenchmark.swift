import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf

/// Measures the engine: one `apply` with few and with many pending activities, a whole saga, and encoding a history.
enum EngineBenchmark {
    static func run() -> String {
        let (few, many) = (applyMicroseconds(pending: 3), applyMicroseconds(pending: 10_000))
        let history = HistoryBytes()
        let figures = [
            ("apply_us_3_pending", few),
            ("apply_us_10000_pending", many),
            ("apply_ratio", many / few),
            ("saga_us", SagaBenchmark.microsecondsPerSaga()),
            ("history_events", Double(history.events.count)),
            ("history_bytes", Double(history.bytes.count)),
            ("history_encode_us", history.encodeMicroseconds()),
            ("history_decode_us", history.decodeMicroseconds()),
            ("history_walk_us", history.walkMicroseconds()),
        ]
        return json(figures + TransitionBenchmark.figures())
    }

    /// An execution as the cache holds it: boxed and changed in place.
    private final class Box {
        var execution = SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID)
    }

    /// Replaces completed activities with new ones, so that their number stays constant. Each replacement is four
    /// entries.
    private static func applyMicroseconds(pending: Int) -> Double {
        guard let (before, measured) = try? entries(pending: pending, replaced: 5_000) else {
            preconditionFailure("a sample request was refused")
        }
        return leastMicroseconds(per: measured.count) {
            let box = Box()
            for entry in before { box.execution.apply(entry) }
            precondition(box.execution.durable.activities.count == pending, "unexpected number of activities")
            return box
        } _: { box in
            for entry in measured { box.execution.apply(entry) }
        }
    }

    /// - Returns: the entries up to `pending` activities, and those that replace `replaced` of them.
    private static func entries(pending: Int, replaced: Int) throws(RequestError) -> ([Entry], [Entry]) {
        let stage = Stage()
        stage.limits.pendingActivities = .max
        stage.limits.historyEvents = .max
        stage.limits.historyBytes = .max
        try stage.start()
        try stage.pollWorkflowTask()
        var decision = try stage.complete { request in
            request.commands = (0..<pending).map { schedule($0) }
        }
        var waiting = decision.scheduledActivities[...]
        let before = stage.entries
        var measured: [Entry] = []
        for number in pending..<pending + replaced {
            guard let id = waiting.popFirst() else { break }
            measured += try stage.pollActivity(id).entries
            measured += try stage.completeActivity(id).entries
            try stage.pollWorkflowTask()
            decision = try stage.complete(schedule(number))
            measured += decision.entries
            waiting += decision.scheduledActivities
        }
        return (before, measured.filter(\.concernsActivity))
    }

    private static func schedule(_ number: Int) -> Command {
        Samples.schedule("activity-\(number)") { $0.scheduleToCloseTimeout = Interval.seconds(60).duration }
    }
}

extension Decision {
    fileprivate var scheduledActivities: [Int64] {
        events.filter { $0.eventType == .activityTaskScheduled }.map(\.eventID)
    }
}

extension Entry {
    fileprivate var concernsActivity: Bool {
        switch self {
        case .event(let recorded): recorded.event.eventType.shortName.hasPrefix("ActivityTask")
        case .fact(let recorded): if case .activityStarted = recorded.fact { true } else { false }
        case .volatile: false
        }
    }
}
