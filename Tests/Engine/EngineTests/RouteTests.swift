import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

/// The routes of tasks: what Matching orders them by.
@Suite struct RouteTests {
    private static func priority(_ key: Int32 = 0, _ fairnessKey: String = "", _ weight: Float = 0) -> Priority {
        var priority = Priority()
        priority.priorityKey = key
        priority.fairnessKey = fairnessKey
        priority.fairnessWeight = weight
        return priority
    }

    private func routes(_ decision: Decision) -> [TaskPriority] {
        decision.offers.map { offer in
            switch offer {
            case .workflow(let route, _, _), .activity(let route, _, _): route.priority
            }
        }
    }

    @Test func aTaskWithoutPriorityHasTheMiddleOne() throws {
        let stage = Stage()
        #expect(try routes(stage.start()) == [.standard])
        #expect(try routes(stage.run(Samples.schedule("a"))) == [.standard])
        #expect(TaskPriority.standard == TaskPriority(level: 3))
    }

    @Test func activitiesInheritEachFieldOfTheRunsPriority() throws {
        let stage = Stage()
        let share = FairShare(key: "tenant", weight: 4)
        let run = TaskPriority(level: 2, share: share)
        #expect(try routes(stage.start { $0.priority = Self.priority(2, "tenant", 4) }) == [run])
        let decision = try stage.run(
            Samples.schedule("none"),
            Samples.schedule("level") { $0.priority = Self.priority(5) },
            Samples.schedule("key") { $0.priority = Self.priority(0, "other") },
            Samples.schedule("weight") { $0.priority = Self.priority(0, "", 0.5) }
        )
        let expected = [
            run, TaskPriority(level: 5, share: share),
            TaskPriority(level: 2, share: FairShare(key: "other", weight: 4)),
            TaskPriority(level: 2, share: FairShare(key: "tenant", weight: 0.5)),
        ]
        #expect(routes(decision) == expected)
        // The worker is told what counts, and the history what the workflow asked for.
        guard case .activityTask(let delivery) = try stage.pollActivity(6).reply else {
            Issue.record("no attempt was started")
            return
        }
        #expect(delivery.priority == Self.priority(5, "tenant", 4))
        #expect(delivery.activity.priority == Self.priority(5))
        // Attempts that are offered again, by a retry or by a new owner, keep their route.
        #expect(routes(stage.returnActivity(6)) == [expected[1]])
        stage.crash()
        let due = stage.execution.dueTasks().map { offer in
            if case .activity(let route, _, _) = offer { route.priority } else { TaskPriority.standard }
        }
        #expect(due == expected)
    }

    @Test func theRunsNextWorkflowTaskKeepsItsRoute() throws {
        let stage = Stage()
        try stage.start { $0.priority = Self.priority(1) }
        try stage.run(Samples.startTimer("t", .seconds(5)))
        #expect(try routes(stage.signal("go")) == [TaskPriority(level: 1)])
        try stage.pollWorkflowTask()
        // A failed task is attempted once more.
        #expect(try routes(stage.failTask()) == [TaskPriority(level: 1)])
        stage.crash()
        #expect(stage.execution.dueTasks().count == 1)
        #expect(stage.execution.route == TaskRoute(queue: "travel", priority: TaskPriority(level: 1)))
    }

    @Test func levelsAndWeightsAreClamped() {
        #expect(TaskPriority(Self.priority(9)).level == 5)
        #expect(TaskPriority(Self.priority(1_000)).level == 5)
        #expect(TaskPriority(Self.priority(-7)).level == 3)
        #expect(FairShare(key: "k", weight: 1e9)?.weight == 1_000)
        #expect(FairShare(key: "k", weight: 1e-9)?.weight == 0.001)
        #expect(FairShare(key: "k", weight: .nan)?.weight == 1)
        #expect(FairShare(key: "k", weight: .infinity)?.weight == 1_000)
        #expect(FairShare(key: "", weight: 0) == nil)
        // Two texts that look alike are two keys.
        #expect(FairShare(key: "e\u{301}", weight: 1) != FairShare(key: "\u{e9}", weight: 1))
    }

    @Test(arguments: [
        (priority(-1), "priority key can't be negative"),
        (priority(0, String(repeating: "k", count: 65)), "fairness key length exceeds limit"),
        (priority(0, "", -1), "must be greater than zero"), (priority(0, "", .nan), "must be greater than zero"),
    ])
    func aPriorityThatNoTaskCanHaveIsRefused(_ priority: Priority, _ message: String) throws {
        let stage = Stage()
        let refusal = #expect(throws: RequestError.self) { try stage.start { $0.priority = priority } }
        #expect(refusal?.code == .invalidArgument)
        #expect(refusal?.message == message)
        try stage.start { $0.priority = Self.priority(5, String(repeating: "k", count: 64), 0.1) }
        try stage.pollWorkflowTask()
        let decision = try stage.complete { $0.commands = [Samples.schedule("a") { $0.priority = priority }] }
        guard case .refused(let error) = decision.reply else {
            Issue.record("not refused")
            return
        }
        #expect(error.message == "BadScheduleActivityAttributes: invalid priorities: \(message)")
    }
}
