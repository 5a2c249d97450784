import SagamoreEngine
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// When a snapshot of a run is written, and how it is added to a batch.
    @Suite struct SnapshotSchedules {
        private func size(facts: Int64 = 0, factBytes: Int64 = 0, historyBytes: Int64 = 0) -> JournalSize {
            JournalSize(factCount: facts, factBytes: factBytes, historyBytes: historyBytes)
        }

        @Test func aShortRunHasNone() {
            let schedule = SnapshotSchedule()
            #expect(!schedule.isDue(size(facts: 12, factBytes: 2_000, historyBytes: 20_000)))
            #expect(!schedule.isDue(size(facts: 499, factBytes: 65_535, historyBytes: 900_000)))
        }

        @Test func manyFactsOrLargeOnesAskForOne() {
            let schedule = SnapshotSchedule()
            #expect(schedule.isDue(size(facts: 500, factBytes: 5_000)))
            #expect(schedule.isDue(size(facts: 1, factBytes: 65_536)))
            #expect(schedule.isDue(size(historyBytes: 1 << 20)))
        }

        @Test func theNextOneComesWhenAsMuchWasWrittenAgain() {
            var schedule = SnapshotSchedule()
            let first = size(facts: 500, factBytes: 50_000)
            #expect(schedule.encoded(9_000, sequence: 700, first) == 0)
            #expect(schedule.sequence == 700)
            #expect(!schedule.isDue(first))
            let second = size(facts: 1_000, factBytes: 100_000)
            #expect(schedule.isDue(second))
            #expect(schedule.encoded(9_000, sequence: 1_400, second) == 700)
        }

        @Test func aStateThatIsLargerThanWhatItSparesIsNotWritten() {
            var schedule = SnapshotSchedule()
            let first = size(facts: 500, factBytes: 50_000)
            #expect(schedule.encoded(80_000, sequence: 700, first) == nil)
            #expect(schedule.sequence == 0)
            #expect(!schedule.isDue(size(facts: 800, factBytes: 80_000)))
            #expect(schedule.isDue(size(facts: 801, factBytes: 80_001)))
            // A commit deletes a bounded number of rows.
            #expect(schedule.isDue(size(facts: 10_000, factBytes: 70_000)))
        }

        @Test func aLoadedRunGoesOnWhereItWas() {
            let schedule = SnapshotSchedule(
                sequence: 700,
                journal: size(facts: 500, factBytes: 50_000),
                stateBytes: 90_000
            )
            #expect(!schedule.isDue(size(facts: 1_000, factBytes: 100_000)))
            #expect(schedule.isDue(size(facts: 1_000, factBytes: 140_001)))
        }

        /// A load begins after a snapshot, so no row may hold transitions from both sides of it.
        @Test func theTransitionOfASnapshotHasARowOfItsOwn() {
            let run = RunID(high: 0x7000, low: 1)
            func item(_ sequence: Int64, snapshotAfter previous: Int64? = nil) -> LaneItem {
                let item = LaneItem(context: nil, run: nil)
                item.journal = SagamorePersistence.JournalRow(
                    runID: run,
                    sequence: sequence,
                    firstEventID: 1,
                    events: [UInt8(sequence)],
                    facts: []
                )
                if let previous {
                    item.snapshot = SnapshotRow(
                        runID: run,
                        sequence: sequence,
                        previousSequence: previous,
                        format: 1,
                        state: [UInt8(sequence)]
                    )
                }
                return item
            }
            let items = [
                item(3), item(4), item(5, snapshotAfter: 2), item(6), item(7), item(8, snapshotAfter: 5), item(9),
                item(10),
            ]
            let batch = BatchBuilder.batch(of: items[...])
            #expect(batch.journal.map(\.sequence) == [3, 5, 6, 8, 9])
            #expect(batch.journal.map(\.events) == [[3, 4], [5], [6, 7], [8], [9, 10]])
            #expect(batch.snapshots.map(\.sequence) == [8])
            #expect(batch.snapshots.map(\.previousSequence) == [2])
            #expect(batch.snapshots.map(\.state) == [[8]])
        }

        @Test func tailsOfLoadedRunsHaveABoundInSum() throws {
            let budget = TailBudget(limit: 100)
            var claims = [try #require(budget.claim(60)), try #require(budget.claim(40))]
            #expect(budget.claim(1) == nil)
            #expect(budget.usedBytes == 100)
            claims.removeFirst()
            #expect(budget.usedBytes == 40)
            #expect(budget.claim(61) == nil)
            #expect(budget.claim(60) != nil)
            #expect(budget.usedBytes == 40)
            withExtendedLifetime(claims) {}
        }
    }
}
