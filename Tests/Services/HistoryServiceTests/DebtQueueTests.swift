import SagamoreEngine
import Testing

@testable import SagamoreHistoryService

/// The order in which debts are delivered.
@Suite struct DebtQueueTests {
    private static let noon = Instant(nanoseconds: 1_000_000_000)
    private static func run(_ number: UInt64) -> RunID { RunID(high: 1, low: number) }
    private static func key(_ number: UInt64) -> WorkflowKey { WorkflowKey(namespace: 1, workflowID: "\(number)") }
    private static var random: RandomSource { RandomSource(seed: (1, 2, 3, 4)) }

    private func add(_ ids: [Int64], _ number: UInt64, to queue: inout DebtQueue) {
        queue.add(ids, of: Self.run(number), Self.key(number))
    }

    @Test func runsTakeTurns() {
        var queue = DebtQueue()
        add(Array(1...2_000), 1, to: &queue)
        add([1, 2], 2, to: &queue)
        let taken = queue.take(at: Self.noon)
        #expect(taken.count == DebtQueue.turnLimit)
        #expect(taken.prefix(4).map(\.runID) == [Self.run(1), Self.run(2), Self.run(1), Self.run(2)])
        #expect(taken.filter { $0.runID == Self.run(1) }.map(\.eventID) == Array(1...30))
    }

    @Test func oneRunHasBoundedMessagesUnderWay() {
        var queue = DebtQueue()
        add(Array(1...200), 1, to: &queue)
        var taken: [DebtQueue.Debt] = []
        while queue.isReady { taken += queue.take(at: Self.noon) }
        #expect(taken.count == DebtQueue.runLimit)
        queue.finish(taken[0])
        #expect(queue.take(at: Self.noon).map(\.eventID) == [Int64(DebtQueue.runLimit + 1)])
    }

    @Test func allRunsTogetherHaveBoundedMessagesUnderWay() {
        var queue = DebtQueue()
        for number in 1...400 as ClosedRange<UInt64> { add([1], number, to: &queue) }
        var count = 0
        while queue.isReady { count += queue.take(at: Self.noon).count }
        #expect(count == DebtQueue.underWayLimit)
        #expect(queue.underWay == count)
    }

    @Test func debtHasOneMessageUnderWay() {
        var queue = DebtQueue()
        add([5], 1, to: &queue)
        let first = queue.take(at: Self.noon)
        add([5], 1, to: &queue)
        #expect(queue.take(at: Self.noon).isEmpty)
        queue.finish(first[0])
        #expect(queue.take(at: Self.noon) == first)
        queue.finish(first[0])
        #expect(!queue.holds(Self.run(1)))
        #expect(queue.underWay == 0)
    }

    @Test func failedMessageIsSentAgainAfterAPause() throws {
        var queue = DebtQueue()
        var random = Self.random
        add([5], 1, to: &queue)
        var now = Self.noon
        var pauses: [Interval] = []
        for _ in 0..<12 {
            let debt = try #require(queue.take(at: now).first)
            queue.putOff(debt, at: now, using: &random)
            #expect(queue.take(at: now).isEmpty)
            let next = try #require(queue.nextAlarm)
            pauses.append(next - now)
            now = next
        }
        #expect(pauses[0] <= .milliseconds(50))
        #expect(pauses.allSatisfy { $0 <= .seconds(10) })
        #expect(try #require(pauses.last) >= .seconds(5))
        #expect(queue.holds(Self.run(1)))
    }

    /// A run that was loaded again owes the same. The message that is under way still counts.
    @Test func forgottenRunMayComeBack() {
        var queue = DebtQueue()
        add([5, 6], 1, to: &queue)
        let taken = queue.take(at: Self.noon)
        add([7], 1, to: &queue)
        queue.forget(Self.run(1))
        #expect(queue.take(at: Self.noon).isEmpty)
        add([5, 6, 7], 1, to: &queue)
        #expect(queue.take(at: Self.noon).map(\.eventID) == [7])
        for debt in taken { queue.finish(debt) }
        #expect(queue.take(at: Self.noon).map(\.eventID) == [5, 6])
    }

    @Test func answerToAForgottenMessageIsIgnored() {
        var queue = DebtQueue()
        var random = Self.random
        add([5], 1, to: &queue)
        let debt = queue.take(at: Self.noon)[0]
        queue = DebtQueue()
        queue.finish(debt)
        queue.putOff(debt, at: Self.noon, using: &random)
        #expect(queue.underWay == 0)
        #expect(queue.nextAlarm == nil)
    }
}
