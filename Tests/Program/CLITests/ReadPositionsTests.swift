import SagamoreKafkaClient
import Testing

@testable import SagamoreCLI

struct ReadPositionsTests {
    private let first = KafkaPartition(topic: "t", partition: 0)
    private let second = KafkaPartition(topic: "t", partition: 1)

    @Test func aPartitionContinuesAfterWhatWasRead() {
        var positions = ReadPositions()
        #expect(positions.next(of: first) == nil)
        // Reading starts at the end: nothing has arrived, and the next record must not be missed.
        positions.reached(7, of: first)
        #expect(positions.next(of: first) == 7)
        positions.passed(KafkaRecord(topic: "t", partition: 0, offset: 9, key: nil, value: nil))
        #expect(positions.next(of: first) == 10)
        #expect(positions.next(of: second) == nil)
    }

    @Test func aPartitionWhoseOffsetsRestartContinuesFromThem() {
        var positions = ReadPositions()
        for offset in [9, 0] as [Int64] {
            positions.passed(KafkaRecord(topic: "t", partition: 0, offset: offset, key: nil, value: nil))
        }
        #expect(positions.next(of: first) == 1)
    }
}
