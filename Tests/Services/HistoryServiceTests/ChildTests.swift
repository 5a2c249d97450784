import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Parents, children, and other workflows that runs send something to, on one or two shards.
    @Suite struct Children {
        private static let child = Samples.startChild("child") { $0.taskQueue = Samples.queue("children") }

        /// Waits until a run's events end like this.
        private func wait(_ node: Node, _ workflowID: String, for last: String) throws {
            try eventually("\(workflowID): \(last)") {
                try node.outline(workflowID).last?.hasSuffix(" " + last) ?? false
            }
        }

        private func events(_ node: Node, _ workflowID: String, _ type: EventType) throws -> Int {
            try node.outline(workflowID).count { $0.hasSuffix(" \(type.shortName)") }
        }

        private func hasNoDebts(_ node: Node) -> Bool {
            node.history.shards.allSatisfy { shard in
                shard.perform { shard.state.debts.underWay == 0 && !shard.state.debts.isReady }
            }
        }

        @Test(arguments: [1, 3]) func childLivesAndReports(_ shards: Int) throws {
            let database = try TestDatabase(shards: shards)
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("parent").get()
            try node.work(Self.child)
            try eventually("started") { try events(node, "parent", .childWorkflowExecutionStarted) == 1 }
            let description = try node.describe("parent").get()
            #expect(description.pendingChildren.map(\.workflowID) == ["child"])
            let child = try #require(try node.describe("child").get().workflowExecutionInfo)
            #expect(child.parentExecution?.workflowID == "parent")
            #expect(child.rootExecution?.workflowID == "parent")
            #expect(description.pendingChildren.first?.runID == child.execution?.runID)
            try node.complete(try node.workflowTask("children"), [Samples.complete("r")]).get()
            try eventually("reported") { try events(node, "parent", .childWorkflowExecutionCompleted) == 1 }
            try node.work(Samples.complete())
            try eventually("nothing is owed") { try database.number("select count(*) from sagamore.alarms") == 0 }
            #expect(node.post.count(.start) == 1)
            #expect(node.post.count(.report) == 1)
        }

        @Test func parentEndsItsChildren() throws {
            let node = try Node(try TestDatabase(shards: 2)).started()
            defer { node.stop() }
            try node.start("parent").get()
            func command(_ workflowID: String, _ policy: ParentClosePolicy) -> Command {
                Samples.startChild(workflowID) { attributes in
                    attributes.taskQueue = Samples.queue("children")
                    attributes.parentClosePolicy = policy
                }
            }
            try node.work(command("a", .terminate), command("b", .requestCancel), command("c", .abandon))
            try eventually("started") { try events(node, "parent", .childWorkflowExecutionStarted) == 3 }
            try node.terminate("parent").get()
            try wait(node, "a", for: "WorkflowExecutionTerminated")
            try wait(node, "b", for: "WorkflowExecutionCancelRequested")
            #expect(try node.status("c") == .running)
            try eventually("settled") { hasNoDebts(node) && node.debtors("parent").isEmpty }
            // The cancelled child's end has no parent that waits for it.
            try node.terminate("b").get()
            try eventually("settled") { hasNoDebts(node) }
        }

        /// Everything that was sent is lost with the process before it arrives, or its answer is.
        @Test(arguments: [true, false]) func startIsSentAgainAfterACrash(_ arrives: Bool) throws {
            let database = try TestDatabase(shards: 2)
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            if arrives { node.post.loseAnswers(.start) } else { node.post.hold(.start) }
            try node.start("parent").get()
            try node.work(Self.child)
            if arrives {
                try eventually("arrived") { (try? node.status("child")) == .running }
            } else {
                try eventually("held") { node.post.heldCount == 1 }
            }
            node.kill()
            node.post.drop()

            let next = try Node(database, clock: clock).started()
            defer { next.stop() }
            try eventually("started") { try events(next, "parent", .childWorkflowExecutionStarted) == 1 }
            #expect(try database.number("select count(*) from sagamore.runs where workflow_id = 'child'") == 1)
            #expect(try events(next, "parent", .startChildWorkflowExecutionFailed) == 0)
        }

        /// The child has ended, and another run has its id, before the parent hears of the start.
        @Test func startIsRecognizedAlthoughTheChildHasASuccessor() throws {
            let database = try TestDatabase()
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            node.post.loseAnswers(.start)
            node.post.hold(.report)
            try node.start("parent").get()
            try node.work(Self.child)
            try node.complete(try node.workflowTask("children"), [Samples.complete("r")]).get()
            try eventually("closed") { try node.status("child") == .completed }
            try node.start("child").get()
            node.kill()
            node.post.drop()

            let next = Node(database, clock: clock)
            next.post.hold(.report)
            try next.started()
            defer { next.stop() }
            try eventually("started") { try events(next, "parent", .childWorkflowExecutionStarted) == 1 }
            next.post.letGo()
            try eventually("reported") { try events(next, "parent", .childWorkflowExecutionCompleted) == 1 }
            #expect(try database.number("select count(*) from sagamore.runs where workflow_id = 'child'") == 2)
        }

        @Test func reportIsSentAgainAfterACrash() throws {
            let database = try TestDatabase(shards: 2)
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            node.post.loseAnswers(.report)
            try node.start("parent").get()
            try node.work(Self.child)
            try eventually("started") { try events(node, "parent", .childWorkflowExecutionStarted) == 1 }
            try node.complete(try node.workflowTask("children"), [Samples.complete("r")]).get()
            try eventually("arrived") { try events(node, "parent", .childWorkflowExecutionCompleted) == 1 }
            node.kill()

            let next = try Node(database, clock: clock).started()
            defer { next.stop() }
            try eventually("settled") { next.post.count(.report) == 1 && next.debtors("child").isEmpty }
            try eventually("settled") { try database.number("select count(*) from sagamore.alarms") == 1 }
            #expect(try events(next, "parent", .childWorkflowExecutionCompleted) == 1)
        }

        @Test func signalIsSentAgainAfterACrash() throws {
            let database = try TestDatabase(shards: 2)
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            node.post.loseAnswers(.signal)
            try node.start("other", queue: "others").get()
            try node.start("one").get()
            try node.work(Samples.signalExternal("other"))
            try eventually("arrived") { try events(node, "other", .workflowExecutionSignaled) == 1 }
            node.kill()

            let next = try Node(database, clock: clock).started()
            defer { next.stop() }
            try eventually("answered") { try events(next, "one", .externalWorkflowExecutionSignaled) == 1 }
            #expect(try events(next, "other", .workflowExecutionSignaled) == 1)
        }

        @Test func refusalsBecomeEvents() throws {
            let node = try Node(try TestDatabase()).started()
            defer { node.stop() }
            try node.start("taken", queue: "others").get()
            try node.start("one").get()
            try node.work(
                Samples.startChild("taken"),
                Samples.signalExternal("nobody"),
                Samples.cancelExternal("nobody"),
                Samples.signalExternal("one"),
                Samples.signalExternal("taken") { $0.childWorkflowOnly = true }
            )
            try eventually("answered") { try node.outline("one").count { $0.hasSuffix("Failed") } == 5 }
            #expect(hasNoDebts(node))
        }

        @Test func unknownNamespaceIsNotFound() throws {
            let node = try Node(try TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let task = try node.workflowTask()
            let error = try node.complete(task, [Samples.signalExternal("x") { $0.namespace = "none" }]).error()
            #expect(error.code == .notFound)
            // The task goes on.
            try node.complete(task, [Samples.complete()]).get()
        }

        /// The parent closes while the start is under way: the child is ended by the policy.
        @Test func childThatStartsWhileItsParentClosesIsEnded() throws {
            let node = try Node(try TestDatabase(shards: 2)).started()
            defer { node.stop() }
            node.post.hold(.start)
            try node.start("parent").get()
            try node.work(Self.child)
            try eventually("held") { node.post.heldCount == 1 }
            try node.terminate("parent").get()
            #expect(node.post.count(.terminate) == 0)
            node.post.letGo()
            try wait(node, "child", for: "WorkflowExecutionTerminated")
            try eventually("settled") { node.debtors("parent").isEmpty && hasNoDebts(node) }
        }

        /// A refused delivery is repeated until it is answered.
        @Test func deliveryIsRepeatedWhileTheOtherSideIsAway() throws {
            let node = try Node(try TestDatabase()).started()
            defer { node.stop() }
            node.post.hold(.start)
            try node.start("parent").get()
            try node.work(Self.child)
            for _ in 0..<2 {
                try eventually("held") { node.post.heldCount == 1 }
                // Dropped replies answer UNAVAILABLE.
                node.post.drop()
            }
            node.post.letGo()
            try eventually("started") { try events(node, "parent", .childWorkflowExecutionStarted) == 1 }
            #expect(node.post.count(.start) >= 3)
        }
    }
}
