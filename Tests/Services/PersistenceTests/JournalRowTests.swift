import SagamoreEngine
import SagamorePersistence
import Testing

/// Rows of a run that are committed together become one.
@Suite struct JournalRowTests {
    private static func row(
        _ sequence: Int64,
        step: String? = nil,
        id: String? = nil,
        sum: String? = nil
    ) -> JournalRow {
        var build = WorkerBuild.Names()
        (build.id, build.binaryChecksum) = (id, sum)
        return JournalRow(
            runID: RunID(high: 1, low: 1),
            sequence: sequence,
            firstEventID: sequence,
            events: [UInt8(sequence)],
            facts: [UInt8(sequence + 100)],
            step: step,
            build: build
        )
    }

    @Test func aRowTakesTheNext() {
        var row = Self.row(1, step: "book", id: "a")
        #expect(row.canTake(Self.row(2, sum: "1")))
        row.take(Self.row(2, sum: "1"))
        row.take(Self.row(3, step: "pay"))
        var expected = Self.row(1, step: "pay", id: "a", sum: "1")
        (expected.events, expected.facts) = ([1, 2, 3], [101, 102, 103])
        #expect(row == expected)
    }

    /// A row has room for one build: the second would be lost.
    @Test func aRowWithABuildTakesNoOther() {
        #expect(!Self.row(1, id: "a").canTake(Self.row(2, id: "")))
        #expect(!Self.row(1, sum: "a").canTake(Self.row(2, id: "b", sum: "b")))
        #expect(Self.row(1).canTake(Self.row(2, id: "b", sum: "b")))
    }
}
