import Foundation
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// An attempt that may have reached its worker is offered to another one.
    @Suite struct ActivityStart {
        @Test func onlyTheNewestStartOfAnAttemptIsHeard() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try node.start("one").get()
            try node.work(Samples.schedule("a"))
            let first = try node.activityTask()
            node.history.returnActivity(try node.activityToken(first))
            let second = try node.activityTask()
            #expect(second.delivery.activity.attempt == first.delivery.activity.attempt)
            #expect(try node.complete(first).error().code == .notFound)
            #expect(try node.fail(first).error().code == .notFound)
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            let token = try next.activityToken(first)
            let beat = Call<HeartbeatAnswer> { next.history.heartbeat(token, details: nil, reply: $0) }
            #expect(try beat.error().code == .notFound)
            #expect(try next.complete(first).error().code == .notFound)
            try next.complete(second).get()
            #expect(try next.outline("one").contains { $0.hasSuffix("ActivityTaskCompleted") })
        }
    }
}
