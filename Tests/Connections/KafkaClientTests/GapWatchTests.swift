import Testing

@testable import SagamoreKafkaClient

@Suite struct GapWatchTests {
    private let partition = KafkaPartition(topic: "t", partition: 0)
    private let start = ContinuousClock.now

    @Test func `records that were removed before an assignment are found without a record`() {
        var watch = GapWatch(interval: .seconds(1))
        watch.assign(partition, at: 3)
        #expect(watch.query(at: start) == partition)
        #expect(watch.answered(partition, first: 8) == 3..<8)
        #expect(watch.query(at: start + .seconds(2)) == nil)
    }

    @Test func `offsets that were skipped and are not below the first one were markers`() {
        var watch = GapWatch(interval: .seconds(1))
        watch.read(partition, 5)
        watch.read(partition, 6)
        #expect(watch.query(at: start) == nil)
        watch.read(partition, 9)
        #expect(watch.query(at: start) == partition)
        #expect(watch.answered(partition, first: 7) == nil)
        watch.read(partition, 12)
        #expect(watch.query(at: start + .milliseconds(999)) == nil, "it was queried a moment ago")
        #expect(watch.query(at: start + .seconds(1)) == partition)
        #expect(watch.answered(partition, first: 12) == 10..<12)
    }

    @Test func `of several gaps the first one counts, and only what was skipped is removed`() {
        var watch = GapWatch(interval: .seconds(1))
        watch.read(partition, 5)
        watch.read(partition, 9)
        watch.read(partition, 20)
        #expect(watch.query(at: start) == partition)
        #expect(watch.answered(partition, first: 100) == 6..<9)
    }

    @Test func `a revoked partition is not queried`() {
        var watch = GapWatch(interval: .seconds(1))
        watch.assign(partition, at: 3)
        watch.revoke(partition)
        #expect(watch.query(at: start) == nil)
        #expect(watch.answered(partition, first: 8) == nil)
    }
}
