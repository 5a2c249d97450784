import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// The order of tasks in a full queue, of which some wait in the database.
    @Suite struct BacklogOrder {
        @Test func urgentTasksAndKeysWithFewTasksComeFirst() throws {
            let database = try TestDatabase(shards: 2)
            let node = try Node(database).started()
            defer { node.stop() }
            var calls: [Call<StartedRun>] = []
            func start(_ name: String, _ count: Int, priority: Int32 = 0, key: String = "") throws {
                for number in 0..<count {
                    let call = try node.start("\(name) \(number)", queue: "full") { request in
                        request.priority = .init()
                        request.priority?.priorityKey = priority
                        request.priority?.fairnessKey = key
                    }
                    calls.append(call)
                    if calls.count.isMultiple(of: 400) { for call in calls.suffix(400) { try call.get() } }
                }
            }
            try start("crowd", 2_800, key: "crowd")
            try start("late", 5, priority: 5)
            try start("few", 5, key: "few")
            try start("urgent", 5, priority: 1)
            for call in calls { try call.get() }
            try eventually("paged out") { try database.number("select count(*) from sagamore.backlog") >= 815 }
            let least = "select count(*) from sagamore.backlog where priority = 5"
            #expect(try database.number(least) == 5)

            var order: [String] = []
            for _ in 0..<2_815 {
                guard case .task(let task) = try node.pollWorkflowTask("full").get() else { break }
                order.append(String(task.key.workflowID.prefix { $0 != " " }))
                try node.complete(task, [Samples.complete()]).get()
            }
            #expect(order.count == 2_815)
            #expect(Array(order.prefix(5)) == Array(repeating: "urgent", count: 5))
            #expect(order.prefix(20).count { $0 == "few" } == 5)
            #expect(order.suffix(5).allSatisfy { $0 == "late" })
            try eventually("removed") { try database.number("select count(*) from sagamore.backlog") == 0 }
        }
    }
}
