import SagamoreKafkaClient
import Testing

@testable import SagamoreKafkaFront

struct PartitionTableTests {
    private func partition(_ topic: String, _ number: Int32) -> CommandPartition {
        CommandPartition(KafkaPartition(topic: topic, partition: number), makeReader(), .system)
    }

    @Test func `partitions keep the order of their names, whatever order they come and go in`() throws {
        var table = PartitionTable()
        for (topic, number) in [("b", 10), ("a", 2), ("b", 9), ("a", 0)] as [(String, Int32)] {
            table.insert(partition(topic, number))
        }
        #expect(table.inOrder.map(\.partition.description) == ["a[0]", "a[2]", "b[9]", "b[10]"])
        let new = partition("b", 9)
        table.insert(new)
        #expect(table.inOrder.count == 4 && table.inOrder[2] === new)
        #expect(table[new.partition] === new)
        let removed = table.remove(new.partition)
        #expect(removed === new && table[new.partition] == nil)
        let absent = table.remove(new.partition)
        #expect(absent == nil)
        #expect(table.inOrder.map(\.partition.description) == ["a[0]", "a[2]", "b[10]"])
    }
}
