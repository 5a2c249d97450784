import Testing

@testable import SagamoreKafkaClient

@Suite struct PartitionGateTests {
    private let first = KafkaPartition(topic: "t", partition: 0)
    private let second = KafkaPartition(topic: "t", partition: 1)

    private func record(_ partition: KafkaPartition, _ offset: Int64) -> KafkaRecord {
        KafkaRecord(topic: partition.topic, partition: partition.partition, offset: offset, key: nil, value: nil)
    }

    @Test func `only records of paused partitions are kept, in order`() {
        var gate = PartitionGate(recordLimit: 10, byteLimit: 100)
        #expect(gate.isOpen)
        gate.pause(first)
        #expect(!gate.isOpen)
        for offset in 0..<3 {
            #expect(gate.keep(record(first, Int64(offset)), bytes: 1) == true)
            #expect(gate.keep(record(second, Int64(offset)), bytes: 1) == false)
        }
        gate.pause(first)
        let released = gate.resume(first)
        #expect(released.records.map(\.offset) == [0, 1, 2])
        #expect(!released.isPausedInClient && released.end == nil)
        #expect(gate.isOpen)
        #expect(gate.resume(first).records == [])
    }

    @Test func `past the limit of records or bytes the client is paused, once, and resumed again`() {
        var gate = PartitionGate(recordLimit: 2, byteLimit: 100)
        gate.pause(first)
        gate.pause(second)
        _ = gate.keep(record(first, 0), bytes: 1)
        #expect(gate.overfull.isEmpty)
        _ = gate.keep(record(first, 1), bytes: 1)
        _ = gate.keep(record(second, 0), bytes: 100)
        #expect(gate.takeOverfull() == [first, second])
        _ = gate.keep(record(first, 2), bytes: 1)
        #expect(gate.takeOverfull() == [])
        let released = gate.resume(first)
        #expect(released.isPausedInClient && released.records.count == 3)
        gate.pause(first)
        #expect(gate.resume(first).isPausedInClient == false)
    }

    @Test func `a resumption before the client was paused needs none of the client`() {
        var gate = PartitionGate(recordLimit: 1, byteLimit: 100)
        gate.pause(first)
        _ = gate.keep(record(first, 0), bytes: 1)
        #expect(gate.resume(first).isPausedInClient == false)
        #expect(gate.takeOverfull() == [])
    }

    @Test func `the end of a partition is told after its records, and not when more came`() {
        var gate = PartitionGate(recordLimit: 10, byteLimit: 100)
        #expect(gate.keepEnd(first, at: 0) == false)
        gate.pause(first)
        #expect(gate.keepEnd(first, at: 0) == false, "nothing is kept: it can be told at once")
        _ = gate.keep(record(first, 0), bytes: 1)
        #expect(gate.keepEnd(first, at: 1) == true)
        #expect(gate.resume(first).end == 1)
        gate.pause(first)
        _ = gate.keep(record(first, 1), bytes: 1)
        _ = gate.keepEnd(first, at: 2)
        _ = gate.keep(record(first, 2), bytes: 1)
        #expect(gate.resume(first).end == nil)
    }

    @Test func `partitions that are given up are forgotten`() {
        var gate = PartitionGate(recordLimit: 1, byteLimit: 100)
        gate.pause(first)
        _ = gate.keep(record(first, 0), bytes: 1)
        gate.revoke([first])
        #expect(gate.isOpen)
        #expect(gate.takeOverfull() == [])
        #expect(gate.resume(first).records == [])
    }
}
