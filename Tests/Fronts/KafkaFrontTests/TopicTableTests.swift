import Testing

@testable import SagamoreKafkaFront

struct TopicTableTests {
    private let start = ContinuousClock.now

    @Test func `a blocked topic is left out, then read separately, then joined`() throws {
        var table = TopicTable()
        table.add("a", position: 3)
        table.add("b", position: 0)
        #expect(table.separate.isEmpty)
        table.published(["a": 7])
        table.scanned(to: 8)
        #expect(table.block("b", at: start) == true)
        #expect(table.block("b", at: start) == false, "reported once")
        #expect(table.separate == ["b"])
        #expect(table.due(start).isEmpty)
        let due = try #require(table.nextDue)
        #expect(table.due(due) == ["b"])
        table.unblock("b")
        #expect(table.lagging == ["b"])
        #expect(table.separate == ["b"], "not read with the others yet")
        table.published(["b": 6])
        table.caughtUp("b")
        #expect(table.separate.isEmpty)
        #expect(table.positions == ["a": 7, "b": 6])
        table.published(["a": 2])
        #expect(table.position("a") == 7, "never back")
    }

    @Test func `a blocked topic is reported once until it is published again, even by the next table`() {
        var table = TopicTable()
        table.add("a", position: 0)
        table.add("b", position: 0)
        #expect(table.block("a", at: start) == true)
        table.unblock("a")
        #expect(table.block("a", at: start) == false, "blocked again, and nothing was published")
        #expect(table.published(["b": 1]).isEmpty)
        #expect(table.reported == ["a"])

        var next = TopicTable(reported: table.reported)
        next.add("a", position: 0)
        #expect(next.block("a", at: start) == false)
        #expect(next.published(["a": 2]) == ["a"])
        #expect(next.published(["a": 3]).isEmpty, "it has recovered once")
        #expect(next.block("a", at: start) == true)
    }

    @Test func `a blocked topic is retried less and less often`() throws {
        var table = TopicTable()
        table.add("a", position: 0)
        var now = start
        var waits: [Duration] = []
        for _ in 0..<10 {
            table.block("a", at: now)
            let next = try #require(table.nextDue)
            waits.append(next - now)
            now = next
        }
        #expect(waits[0] < .seconds(1))
        #expect(waits.allSatisfy { $0 <= .seconds(15) })
        #expect(waits[9] >= .milliseconds(7_500), "half of the longest step")
    }
}
