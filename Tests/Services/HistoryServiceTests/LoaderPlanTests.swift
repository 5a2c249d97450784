import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreLogging
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Which runs retention checks.
    @Suite struct RetentionPlans {
        private static let day = Interval.seconds(86_400)
        private let now = Instant(nanoseconds: 1_749_988_800_000_000_000)
        private let steady = Instant(nanoseconds: 1)

        @Test func aShorterRetentionLooksAtAll() throws {
            var plan = RetentionPlan()
            plan.begin([1: Self.day, 2: Self.day], at: now, steady: steady)
            while plan.next != nil { plan.advance(past: nil) }
            plan.begin([1: .seconds(3_600), 2: Self.day], at: now, steady: steady)
            var windows: [RetentionPlan.Window] = []
            while let window = plan.next {
                windows.append(window)
                plan.advance(past: nil)
            }
            #expect(windows.map(\.namespaces) == [[1], [2]])
            #expect(windows.map { $0.after == RunID(high: 0, low: 0) } == [true, false])
            // Once; a longer one keeps what is there.
            plan.begin([1: .seconds(7_200), 2: Self.day], at: now, steady: steady)
            #expect(plan.next?.namespaces == [1])
            #expect(plan.next?.after != RunID(high: 0, low: 0))
        }

        @Test func theFirstPassLooksAtAllAndTheNextOnesAtWhatIsRecent() throws {
            var plan = RetentionPlan()
            plan.begin([1: Self.day, 2: .seconds(60), 3: Self.day], at: now, steady: steady)
            var window = try #require(plan.next)
            #expect(window.namespaces == [2])
            #expect(window.after == RunID(high: 0, low: 0))
            // The next step continues after a full one.
            let middle = RunID(at: now, random: (1, 1))
            plan.advance(past: middle)
            #expect(plan.next?.after == middle)
            plan.advance(past: nil)
            window = try #require(plan.next)
            #expect(window.namespaces == [1, 3])
            let end = now + Interval(nanoseconds: -Self.day.nanoseconds)
            #expect(window.before == RunID(at: end, random: (0, 0)))
            // No new pass begins while one is under way.
            plan.begin([9: .seconds(1)], at: now, steady: steady)
            #expect(plan.next == window)
            plan.advance(past: nil)
            #expect(plan.next == nil)

            plan.begin([1: Self.day], at: now, steady: steady + .seconds(30))
            let recent = end + Interval(nanoseconds: -RetentionPlan.recent.nanoseconds)
            #expect(plan.next?.after == RunID(at: recent, random: (0, 0)))
            plan.advance(past: nil)
            plan.begin([1: Self.day], at: now, steady: steady + RetentionPlan.fullPassPeriod)
            #expect(plan.next?.after == RunID(high: 0, low: 0))
        }
    }

    /// How many runs a step of retention deletes.
    @Suite struct RetentionSteps {
        @Test func longStepsAreFollowedBySmallerOnes() {
            var step = RetentionStep()
            for _ in 0..<10 { step.took(.milliseconds(1)) }
            #expect(step.limit == RetentionStep.highestLimit)
            step.took(.milliseconds(30))
            #expect(step.limit == 200, "neither long nor short")
            step.took(.seconds(2))
            #expect(step.limit == 100)
            for _ in 0..<10 { step.took(RetentionStep.long) }
            #expect(step.limit == RetentionStep.lowestLimit)
            step.took(RetentionStep.short)
            #expect(step.limit == 2 * RetentionStep.lowestLimit)
        }
    }

    /// Journals in pages.
    @Suite struct JournalLoads {
        private static func row(_ number: UInt64) -> RunRow {
            RunRow(
                runID: RunID(high: 0, low: number),
                key: WorkflowKey(namespace: 1, workflowID: "run \(number)"),
                workflowType: "TravelBooking",
                taskQueue: "travel",
                startRequestID: "",
                status: .running,
                startedAt: Instant(nanoseconds: 1),
                closedAt: nil,
                historyLength: 1,
                historyBytes: 1
            )
        }

        /// A row without entries, or with bytes that cannot be decoded.
        private static func part(_ run: UInt64, _ sequence: Int64, isBroken: Bool = false)
            -> JournalPart
        {
            let facts: [UInt8] = isBroken ? [0xff] : []
            return .row(
                SagamorePersistence.JournalRow(
                    runID: RunID(high: 0, low: run),
                    sequence: sequence,
                    firstEventID: 1,
                    events: [],
                    facts: facts
                )
            )
        }

        private func summary(_ finished: [JournalLoad.Finished]) -> [String] {
            finished.map { end in
                switch end.replay {
                case .success(let replay): "\(end.row.runID.low): \(replay.isEmpty ? 0 : replay.run.sequence)"
                case .failure: "\(end.row.runID.low): broken"
                }
            }
        }

        @Test func runsAreCompleteWhenTheNextOneBegins() {
            let now = Instant(nanoseconds: 1)
            var load = JournalLoad([3, 1, 2, 4].map { Self.row($0) })
            #expect(load.question.runIDs.map(\.low) == [1, 2, 3, 4])
            #expect(load.question.after.sequence == 0)
            let first = load.take(JournalPage(parts: [Self.part(1, 1), Self.part(1, 2)], isLast: false), at: now)
            #expect(first.isEmpty)
            // After a full page the load asks for fewer runs.
            #expect(load.question.runIDs.map(\.low) == [1])
            #expect(load.question.after == JournalPosition(runID: RunID(high: 0, low: 1), sequence: 2))
            let second = load.take(JournalPage(parts: [Self.part(1, 3)], isLast: true), at: now)
            #expect(summary(second) == ["1: 3"])
            // After a page that was not full it asks for more.
            #expect(load.question.runIDs.map(\.low) == [2, 3])
            let broken = JournalPage(parts: [Self.part(3, 1, isBroken: true), Self.part(3, 2)], isLast: true)
            let third = load.take(broken, at: now)
            #expect(summary(third) == ["2: 0", "3: broken"])
            #expect(!load.isFinished)
            let last = load.take(JournalPage(parts: [Self.part(4, 1)], isLast: true), at: now)
            #expect(summary(last) == ["4: 1"])
            #expect(load.isFinished)
        }
    }
}
