import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Tasks that cannot be started, on the same queue as tasks that can.
    @Suite struct SharedQueue {
        private func id(onShard shard: Int, of node: Node) throws -> String {
            let ids = (0..<100).lazy.map { "workflow \($0)" }
            return try #require(ids.first { node.history.shard(of: Node.key($0)) == shard })
        }

        @Test func tasksOfALostShardDoNotHoldUpOthers() throws {
            let database = try TestDatabase(shards: 2)
            let node = try Node(database).started()
            defer { node.stop() }
            let (lost, good) = (try id(onShard: 0, of: node), try id(onShard: 1, of: node))
            try node.start(lost).get()
            try node.start(good).get()
            try database.session.execute("update sagamore.shards set epoch = epoch + 1 where id = 0")
            _ = try node.signal(lost, "refused").error()
            try eventually("shard lost") { node.fencedShards == [0] }
            // The task of the lost shard is the first of the queue.
            let task = try node.workflowTask()
            #expect(task.key == Node.key(good))
            try node.complete(task, [Samples.complete()]).get()
            #expect(try node.status(good) == .completed)
        }

        @Test func tasksOfARunThatCannotBeReadDoNotHoldUpOthers() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("bad").get()
            try database.session.execute(
                "create table public.saved as select run_id, sequence, events from sagamore.journal"
            )
            try database.session.execute(#"update sagamore.journal set events = '\x0aff'"#)
            try node.start("good").get()
            // The database refuses a transition, so the run is reloaded, which fails.
            node.faults.corrupt { batch in
                for index in batch.journal.indices where batch.journal[index].events.contains(word: "poison") {
                    batch.journal[index].sequence = 1
                }
            }
            #expect(try node.signal("bad", "poison").error().code == .internalError)
            try eventually("left memory") { !node.isCached("bad") }
            let task = try node.workflowTask()
            #expect(task.key == Node.key("good"))
            try node.complete(task, [Samples.complete()]).get()
            // Once the run can be read again, a worker gets its task as well.
            node.faults.corrupt(nil)
            let poll = node.pollWorkflowTask()
            try database.session.execute(
                """
                update sagamore.journal j set events = s.events from public.saved s
                    where j.run_id = s.run_id and j.sequence = s.sequence
                """
            )
            node.clock.jump(.seconds(10))
            guard case .task(let late) = try poll.get() else { return #expect(Bool(false), "no task") }
            #expect(late.key == Node.key("bad"))
            try node.complete(late, [Samples.complete()]).get()
            #expect(HistoryRules.violations(in: try node.events("bad")) == [])
        }
    }
}
