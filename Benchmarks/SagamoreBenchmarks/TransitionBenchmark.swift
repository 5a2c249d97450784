import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport

/// A transition of a fresh run, and of runs with a long history or with much that is pending. One round is four
/// transitions: a worker takes the workflow task, schedules an activity, takes it, and completes it. Each is decided,
/// validated and applied.
enum TransitionBenchmark {
    static func figures() -> [(name: String, value: Double)] {
        let fresh = microseconds { _ in }
        let long = microseconds { stage throws(RequestError) in
            while stage.history.count < 10_000 { try round(stage) }
        }
        let activities = microseconds { stage throws(RequestError) in
            _ = try stage.pollWorkflowTask()
            _ = try stage.complete { $0.commands = (0..<2_000).map { Samples.schedule("pending-\($0)") } }
            try stage.signal("go")
        }
        let children = microseconds { stage throws(RequestError) in
            _ = try stage.pollWorkflowTask()
            _ = try stage.complete { $0.commands = (0..<2_000).map { Samples.startChild("child-\($0)") } }
            try stage.signal("go")
        }
        return [
            ("transition_us", fresh),
            ("transition_ratio_10000_events", long / fresh),
            ("transition_ratio_2000_activities", activities / fresh),
            ("transition_ratio_2000_children", children / fresh),
        ]
    }

    /// Microseconds per transition.
    private static func microseconds(_ prepare: (Stage) throws(RequestError) -> Void) -> Double {
        let rounds = 300
        return leastMicroseconds(rounds: 15, per: 4 * rounds) {
            let stage = Stage()
            // More than the activities of all rounds.
            stage.limits.pendingActivities = 10_000
            attempt { () throws(RequestError) in
                try stage.start()
                try prepare(stage)
            }
            return stage
        } _: { stage in
            attempt { () throws(RequestError) in
                for _ in 0..<rounds { try round(stage) }
            }
        }
    }

    private static func round(_ stage: Stage) throws(RequestError) {
        try stage.pollWorkflowTask()
        let decision = try stage.complete(Samples.schedule("round"))
        guard let id = decision.events.last?.eventID else { preconditionFailure("no activity was scheduled") }
        try stage.pollActivity(id)
        try stage.completeActivity(id)
    }

    private static func attempt(_ body: () throws(RequestError) -> Void) {
        do { try body() } catch { preconditionFailure("a sample request was refused: \(error)") }
    }
}
