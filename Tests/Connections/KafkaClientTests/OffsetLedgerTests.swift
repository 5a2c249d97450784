import Testing

@testable import SagamoreKafkaClient

@Suite struct OffsetLedgerTests {
    private let first = KafkaPartition(topic: "t", partition: 0)
    private let second = KafkaPartition(topic: "t", partition: 1)
    private let start = ContinuousClock.now

    private func ledger() -> OffsetLedger {
        var ledger = OffsetLedger(interval: .milliseconds(100), backoff: .seconds(1))
        ledger.assign([first, second])
        return ledger
    }

    @Test func `offsets gather for the interval and only the highest is sent`() {
        var ledger = ledger()
        ledger.want([first: 5])
        #expect(ledger.take(now: start) == [first: 5])
        ledger.answered([first: 5], refused: [], now: start)
        ledger.want([first: 9])
        ledger.want([first: 7, second: 3])
        #expect(ledger.take(now: start + .milliseconds(99)) == [:])
        #expect(ledger.take(now: start + .milliseconds(100)) == [first: 9, second: 3])
    }

    @Test func `nothing is sent while a commit is unanswered`() {
        var ledger = ledger()
        ledger.want([first: 5])
        _ = ledger.take(now: start)
        ledger.want([first: 6])
        #expect(ledger.take(now: start + .seconds(5)) == [:])
        ledger.answered([first: 5], refused: [], now: start + .seconds(5))
        #expect(ledger.take(now: start + .seconds(5)) == [first: 6])
    }

    @Test func `an offset never goes back while the partition is assigned`() {
        var ledger = ledger()
        ledger.want([first: 5])
        _ = ledger.take(now: start)
        ledger.want([first: 4])
        ledger.answered([first: 5], refused: [], now: start)
        ledger.want([first: 3])
        #expect(ledger.take(now: start + .seconds(1)) == [:])
        ledger.revoke([first])
        ledger.assign([first])
        ledger.want([first: 3])
        #expect(ledger.take(now: start + .seconds(1)) == [first: 3])
    }

    @Test func `what was refused is tried again after the backoff, or something newer`() {
        var ledger = ledger()
        ledger.want([first: 5, second: 1])
        _ = ledger.take(now: start)
        ledger.want([second: 2])
        ledger.answered([first: 5, second: 1], refused: [first, second], now: start)
        #expect(ledger.take(now: start + .milliseconds(999)) == [:])
        #expect(ledger.take(now: start + .seconds(1)) == [first: 5, second: 2])
    }

    @Test func `partitions of others are left alone`() {
        var ledger = ledger()
        ledger.want([KafkaPartition(topic: "other", partition: 0): 5])
        #expect(ledger.take(now: start) == [:])
        ledger.want([first: 5])
        ledger.revoke([first])
        #expect(ledger.take(now: start) == [:])
    }

    @Test func `before a revocation all that is unsettled is known, in flight too`() {
        var ledger = ledger()
        ledger.want([first: 5, second: 6])
        _ = ledger.take(now: start)
        ledger.want([second: 8])
        #expect(ledger.unsettled(of: [first, second]) == [first: 5, second: 8])
        ledger.answered([first: 5, second: 6], refused: [], now: start)
        #expect(ledger.unsettled(of: [first, second]) == [second: 8])
    }

    @Test func `a late answer to a commit before a revocation is none to the next commit`() {
        var ledger = ledger()
        ledger.want([first: 5])
        _ = ledger.take(now: start)
        ledger.revoke([first])
        ledger.assign([first])
        ledger.want([first: 9])
        #expect(ledger.take(now: start + .seconds(1)) == [first: 9])
        ledger.answered([first: 5], refused: [], now: start + .seconds(1))
        #expect(ledger.unsettled(of: [first]) == [first: 9])
    }

    @Test func `of a partition that begins anew lower offsets count`() {
        let other = KafkaPartition(topic: "other", partition: 0)
        var ledger = ledger()
        ledger.want([first: 5, second: 6])
        #expect(ledger.take(now: start) == [first: 5, second: 6])
        ledger.restart([first, other])
        ledger.want([first: 2, second: 3, other: 1])
        ledger.answered([first: 5, second: 6], refused: [], now: start)
        #expect(ledger.take(now: start + .seconds(1)) == [first: 2])
    }

    @Test func `a commit that is never answered is sent again`() {
        var ledger = ledger()
        ledger.want([first: 5])
        _ = ledger.take(now: start)
        #expect(ledger.take(now: start + .milliseconds(9_999)) == [:])
        #expect(ledger.take(now: start + .seconds(10)) == [:], "after the backoff")
        #expect(ledger.take(now: start + .seconds(11)) == [first: 5])
    }

    @Test func `an offset that the broker held and does not hold any more is missing`() {
        var ledger = ledger()
        #expect(ledger.verifiable.isEmpty)
        ledger.found([first: 3])
        #expect(ledger.verifiable == [first])
        #expect(ledger.missing(from: [first: 3], of: [first, second]).isEmpty)
        #expect(ledger.missing(from: [:], of: [first, second]) == [first])
        ledger.want([second: 1])
        #expect(ledger.take(now: start) == [second: 1])
        #expect(
            ledger.missing(from: [first: 3], of: [first, second]).isEmpty,
            "the second offset is not known to be stored"
        )
        ledger.answered([second: 1], refused: [], now: start)
        #expect(ledger.missing(from: [first: 3], of: [first, second]) == [second])
        ledger.restart([first, second])
        #expect(ledger.verifiable.isEmpty)
    }

    @Test func `what the broker holds does not keep lower offsets from being committed`() {
        var ledger = ledger()
        ledger.found([first: 100])
        ledger.want([first: 5])
        #expect(ledger.take(now: start) == [first: 5])
    }

    @Test func `an offset of a partition that was assigned after the query is not missing`() {
        var ledger = ledger()
        ledger.found([first: 3, second: 1])
        #expect(ledger.missing(from: [first: 3], of: [first]).isEmpty)
    }

    @Test func `of an earlier commit only what was not given up is in flight`() {
        var ledger = ledger()
        ledger.want([first: 5, second: 1])
        let taken = ledger.take(now: start)
        #expect(ledger.inFlight(taken) == taken)
        ledger.restart([first])
        #expect(ledger.inFlight(taken) == [second: 1])
    }
}
