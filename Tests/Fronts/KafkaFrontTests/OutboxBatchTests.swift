import SagamoreKafkaClient
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreKafkaFront

struct OutboxBatchTests {
    private let tooLarge = KafkaError(code: .init(rawValue: 10), message: "")
    private let invalid = KafkaError(code: .init(rawValue: 87), message: "")

    private func row(_ sequence: Int64, _ value: String, topic: String = "t") -> OutboxRow {
        OutboxRow(
            sequence: sequence,
            record: OutboxRecord(topic: topic, key: nil, value: Array(value.utf8), headers: [])
        )
    }

    private func isolated(_ batch: OutboxBatch) -> [Int64] { batch.rows.filter(batch.isIsolated).map(\.sequence) }

    private func event(_ result: String) -> String {
        #"{"command_id":"c","status":"passed","sequence":2,"result":"\#(result)"}"#
    }

    @Test func `records of a refused batch are isolated, the largest first`() {
        let large = String(repeating: "x", count: 100)
        var batch = OutboxBatch([row(1, "a"), row(2, large), row(3, "b"), row(4, large + "y"), row(5, "not named")])
        let suspects = Dictionary(uniqueKeysWithValues: (Int64(1)...4).map { ($0, tooLarge) })
        #expect(!batch.isolatesAny)
        #expect(batch.refuse(suspects).isEmpty)
        #expect(isolated(batch) == [2, 4])
        #expect(batch.refuse([1: tooLarge, 2: tooLarge, 3: tooLarge]).isEmpty)
        #expect(isolated(batch) == [1, 2, 3, 4], "a batch of records that were not isolated is refused again")
    }

    @Test func `all suspects are isolated when size is not the cause`() {
        var batch = OutboxBatch([row(1, "a"), row(2, "a longer one"), row(3, "b")])
        #expect(batch.refuse([1: invalid, 2: tooLarge]).isEmpty)
        #expect(isolated(batch) == [1, 2])
    }

    @Test func `a record that is too large is sent in a smaller form and then given up`() throws {
        var batch = OutboxBatch([row(7, event("large")), row(8, "next")])
        #expect(batch.refuse([7: tooLarge]).isEmpty)
        let smaller = try #require(batch.record(of: batch.rows[0])?.value)
        #expect(
            String(decoding: smaller, as: UTF8.self)
                == #"{"command_id":"c","status":"passed","sequence":2,"result_omitted":true}"#
        )
        let dead = batch.refuse([7: tooLarge])
        #expect(dead.map(\.row.sequence) == [7])
        #expect(dead.first?.row.record.value == Array(event("large").utf8), "whole in the dead events")
        #expect(batch.record(of: batch.rows[0]) == nil)
        #expect(batch.record(of: batch.rows[1])?.value == Array("next".utf8))
        #expect(batch.cursors == ["t": 8])
    }

    @Test func `the cursor passes a dead last record`() {
        var batch = OutboxBatch([row(1, "a"), row(2, "b")])
        #expect(batch.refuse([2: invalid]).map(\.row.sequence) == [2])
        #expect(batch.cursors == ["t": 2])
    }

    @Test func `isolated suspects are all given up together`() {
        var batch = OutboxBatch([row(1, "a"), row(2, "b"), row(3, "c")])
        _ = batch.refuse([1: invalid, 2: invalid])
        #expect(batch.refuse([1: invalid, 2: invalid]).map(\.row.sequence) == [1, 2])
    }

    @Test func `topics that cannot be written are removed`() {
        var batch = OutboxBatch([row(1, "a", topic: "x"), row(2, "b", topic: "y"), row(3, "c", topic: "x")])
        #expect(batch.topics == ["x", "y"])
        batch.remove(["x"])
        #expect(batch.rows.map(\.sequence) == [2])
        #expect(batch.cursors == ["y": 2])
    }
}
