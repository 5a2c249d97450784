import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import Testing

@testable import SagamoreScheduling

/// What becomes of starts while a run is open, by the overlap policies; of pauses, limits and failures.
struct OverlapTests {
    /// A schedule every 10 s from second 0 on.
    private struct World {
        var record: ScheduleRecord
        let times: ScheduleTimes
        private var runs: UInt64 = 0

        init(_ given: Given) throws { (record, times) = try given.record(at: .seconds(0)) }

        /// - Returns: the workflows that start at once.
        mutating func pass(to second: Int64) -> [String] { carryOut(record.pass(to: .seconds(second), times), second) }

        mutating func patch(_ patch: SchedulePatch, at second: Int64) -> [String] {
            carryOut(record.patch(patch, requestID: "", times: times, at: .seconds(second)), second)
        }

        private mutating func carryOut(_ demands: [ScheduleDemand], _ second: Int64) -> [String] {
            var shown: [String] = []
            for demand in demands {
                switch demand {
                case .start(let start):
                    shown.append(start.workflowID)
                    runs += 1
                    let more = record.started(start.due.id, runID: RunID(high: 0, low: runs), at: .seconds(second))
                    shown += carryOut(more, second)
                case .cancel(let run): shown.append("cancel \(run.workflowID)")
                case .terminate(let run): shown.append("terminate \(run.workflowID)")
                }
            }
            return shown
        }

        /// The oldest open run ends.
        mutating func end(_ event: HistoryEvent = .completed(), at second: Int64) throws -> [String] {
            let run = try #require(record.progress.running.first)
            let end = ScheduledRunEnd(
                schedule: Lineage.Schedule(scheduleID: "s", instance: record.instance, startID: run.startID),
                workflowID: run.workflowID,
                firstRunID: run.runID,
                event: event
            )
            return carryOut(record.ended(end, at: .seconds(second)), second)
        }

        var info: ScheduleInfo { record.description(times, at: record.progress.processedTo).info ?? ScheduleInfo() }
    }

    private func id(_ second: Int64) -> String { "w-" + Instant.seconds(second).secondText }

    @Test func skip() throws {
        var world = try World(Given())
        #expect(world.pass(to: 10) == [id(10)])
        #expect(world.pass(to: 30) == [])
        #expect(world.info.overlapSkipped == 2)
        #expect(try world.end(at: 31) == [])
        #expect(world.pass(to: 40) == [id(40)])
        #expect(world.info.actionCount == 2)
    }

    @Test func bufferOne() throws {
        var world = try World(Given(policy: .bufferOne))
        #expect(world.pass(to: 40) == [id(10)])
        #expect((world.info.bufferSize, world.info.overlapSkipped) == (1, 2))
        #expect(try world.end(at: 41) == [id(20)])
        #expect(world.info.bufferSize == 0)
    }

    @Test func bufferAll() throws {
        var world = try World(Given(policy: .bufferAll))
        #expect(world.pass(to: 30) == [id(10)])
        #expect(try world.end(at: 31) == [id(20)])
        #expect(try world.end(at: 31) == [id(30)])
        #expect(try world.end(at: 31) == [])
        #expect(world.info.overlapSkipped == 0)
    }

    @Test func cancelOther() throws {
        var world = try World(Given(policy: .cancelOther))
        #expect(world.pass(to: 10) == [id(10)])
        #expect(world.pass(to: 20) == ["cancel \(id(10))"])
        // The request is not repeated, and the newest start takes the place of the others.
        #expect(world.pass(to: 30) == [])
        #expect(try world.end(.canceled(), at: 31) == [id(30)])
    }

    @Test func terminateOther() throws {
        var world = try World(Given(policy: .terminateOther))
        #expect(world.pass(to: 10) == [id(10)])
        #expect(world.pass(to: 20) == ["terminate \(id(10))"])
        #expect(try world.end(.terminated(), at: 20) == [id(20)])
    }

    @Test func allowAll() throws {
        var world = try World(Given(policy: .allowAll))
        #expect(world.pass(to: 30) == [id(10), id(20), id(30)])
        #expect(world.info.runningWorkflows.isEmpty)
        #expect(world.info.recentActions.count == 3)
    }

    @Test func manyStartsAtOnceTakeTurns() throws {
        var world = try World(Given(policy: .allowAll))
        let first = world.record.pass(to: .seconds(2_000), world.times)
        #expect(first.count == ScheduleRecord.mostStarting)
        #expect(world.record.progress.buffer.count == 100)
        guard case .start(let start)? = first.first else { throw ExpectedStart() }
        let next = world.record.started(start.due.id, runID: RunID(high: 0, low: 9), at: .seconds(2_000))
        #expect(next.count == 1)
    }

    private struct ExpectedStart: Error {}

    @Test func theOriginalIDIsKeptIfTheScheduleSaysSo() throws {
        var world = try World(Given(change: { $0.policies?.keepOriginalWorkflowID = true }))
        #expect(world.pass(to: 10) == ["w"])
    }

    @Test func whatIsOlderThanTheCatchUpWindowIsMissed() throws {
        var world = try World(
            Given(policy: .allowAll, change: { $0.policies?.catchupWindow = Interval.seconds(25).duration })
        )
        #expect(world.pass(to: 100) == [id(80), id(90), id(100)])
        #expect(world.info.missedCatchupWindow == 7)
    }

    @Test func aPauseSkipsItsTimesAndATriggerDoesNotCare() throws {
        var world = try World(Given())
        var patch = SchedulePatch()
        patch.pause = "enough"
        #expect(world.patch(patch, at: 5) == [])
        #expect(world.record.nextAlarm(world.times) == nil)
        var trigger = SchedulePatch()
        trigger.triggerImmediately = TriggerImmediatelyRequest()
        #expect(world.patch(trigger, at: 15) == [id(15)])
        _ = try world.end(at: 16)
        var unpause = SchedulePatch()
        unpause.unpause = "go"
        #expect(world.patch(unpause, at: 35) == [])
        #expect(world.pass(to: 40) == [id(40)])
        #expect(world.record.definition.state?.notes == "go")
        #expect(world.record.conflictToken == [0, 0, 0, 0, 0, 0, 0, 3])
        #expect((world.info.missedCatchupWindow, world.info.overlapSkipped) == (0, 0))
    }

    @Test func limitedActionsAreCountedAtTheirStart() throws {
        var world = try World(
            Given(change: {
                $0.state = ScheduleState()
                $0.state?.limitedActions = true
                $0.state?.remainingActions = 2
            })
        )
        #expect(world.info.futureActionTimes.count == 2)
        #expect(world.pass(to: 10) == [id(10)])
        #expect(world.pass(to: 20) == [])
        #expect(world.record.definition.state?.remainingActions == 1)
        _ = try world.end(at: 21)
        #expect(world.pass(to: 30) == [id(30)])
        #expect(world.record.nextAlarm(world.times) == nil)
        #expect(world.info.futureActionTimes.isEmpty)
        #expect(world.record.isPaused == false)
    }

    @Test func backfills() throws {
        var world = try World(Given(policy: .allowAll))
        var patch = SchedulePatch()
        var backfill = BackfillRequest()
        backfill.startTime = Instant.seconds(-30).timestamp
        backfill.endTime = Instant.seconds(-10).timestamp
        patch.backfillRequest = [backfill]
        #expect(world.patch(patch, at: 5) == [id(-30), id(-20), id(-10)])
        #expect(world.record.progress.backfills.isEmpty)
    }

    @Test func aLargeBackfillGoesOnByItself() throws {
        var world = try World(Given(policy: .allowAll))
        var patch = SchedulePatch()
        var backfill = BackfillRequest()
        backfill.startTime = Instant.seconds(-10_000).timestamp
        backfill.endTime = Instant.seconds(-10).timestamp
        patch.backfillRequest = [backfill]
        var started = world.patch(patch, at: 5).count
        while world.record.nextAlarm(world.times) == .distantPast { started += world.pass(to: 5).count }
        #expect(started == 1_000)
    }

    @Test func aFailurePausesIfTheScheduleSaysSo() throws {
        var failure = Failure()
        failure.message = "no"
        for (event, notes) in [
            (HistoryEvent.failed(failure), "paused due to workflow failure: \(id(10)): no"),
            (.timedOut(), "paused due to workflow timeout: \(id(10))"), (.terminated(), nil), (.canceled(), nil),
        ] {
            var world = try World(Given(policy: .bufferAll, change: { $0.policies?.pauseOnFailure = true }))
            #expect(world.pass(to: 20) == [id(10)])
            let next = try world.end(event, at: 21)
            #expect(world.record.isPaused == (notes != nil))
            #expect(next == (notes == nil ? [id(20)] : []))
            if let notes { #expect(world.record.definition.state?.notes == notes) }
            // What waited is not made up for.
            #expect(world.info.bufferSize == 0)
        }
    }

    @Test func resultsAndFailuresAreCarriedOn() throws {
        func next(_ world: inout World, _ second: Int64) throws -> StartWorkflowExecutionRequest {
            let demands = world.record.pass(to: .seconds(second), world.times)
            guard case .start(let start)? = demands.first else { throw ExpectedStart() }
            _ = world.record.started(start.due.id, runID: RunID(high: 1, low: UInt64(second)), at: .seconds(second))
            return try #require(world.record.request(for: start, in: "default"))
        }
        var world = try World(Given())
        #expect(try next(&world, 10).lastCompletionResult == nil)
        let result = RawMessage<Payloads>(uncheckedBytes: [10, 0])
        _ = try world.end(.completed(result), at: 11)
        #expect(try next(&world, 20).lastCompletionResult == result)
        _ = try world.end(.failed(Failure()), at: 21)
        let third = try next(&world, 30)
        #expect(third.lastCompletionResult == result)
        #expect(third.continuedFailure != nil)
        #expect(third.identity == "temporal-scheduler-default-s")
        _ = try world.end(.completed(result), at: 31)
        #expect(try next(&world, 40).continuedFailure == nil)
    }

    @Test func anUpdateLeavesPassedTimesAlone() throws {
        var world = try World(Given(policy: .allowAll))
        var request = UpdateScheduleRequest()
        let definition = try Given(spec: .every(7), policy: .allowAll).definition()
        _ = try world.record.update(request, definition: definition, searchAttributes: nil, at: .seconds(50))
        #expect(world.record.pass(to: .seconds(56), definition.times).count == 1)
        request.conflictToken = [0, 0, 0, 0, 0, 0, 0, 1]
        var record = world.record
        #expect(throws: RequestError.self) {
            try record.update(request, definition: definition, searchAttributes: nil, at: .seconds(60))
        }
        request.conflictToken = record.conflictToken
        _ = try record.update(request, definition: definition, searchAttributes: nil, at: .seconds(60))
        #expect(record.conflictToken == [0, 0, 0, 0, 0, 0, 0, 3])
    }

    @Test func theEndOfARunMayOvertakeTheAnswerToItsStart() throws {
        var world = try World(Given(policy: .bufferAll))
        let demands = world.record.pass(to: .seconds(20), world.times)
        guard case .start(let start)? = demands.first else { throw ExpectedStart() }
        let end = ScheduledRunEnd(
            schedule: world.record.mark(of: start),
            workflowID: start.workflowID,
            firstRunID: RunID(high: 5, low: 5),
            event: .completed()
        )
        #expect(world.record.ended(end, at: .seconds(21)).count == 1)
        #expect(world.record.ended(end, at: .seconds(21)).isEmpty)
        #expect(world.record.started(start.due.id, runID: RunID(high: 5, low: 5), at: .seconds(22)).isEmpty)
        #expect(world.info.actionCount == 1)
        #expect(world.info.recentActions.first?.startWorkflowStatus == .completed)
    }

    @Test func whatIsStoredIsReadBack() throws {
        var world = try World(Given(policy: .bufferAll))
        _ = world.pass(to: 40)
        _ = try world.end(.failed(Failure()), at: 41)
        var patch = SchedulePatch()
        patch.pause = "p"
        var backfill = BackfillRequest()
        (backfill.startTime, backfill.endTime) = (Instant.seconds(-5_000).timestamp, Instant.seconds(-10).timestamp)
        patch.backfillRequest = [backfill]
        _ = world.record.patch(patch, requestID: "r", times: world.times, at: .seconds(42))
        let progress = world.record.progress
        #expect(try ScheduleProgress(bytes: progress.bytes) == progress)
        #expect(throws: ProtobufError.self) { try ScheduleProgress(bytes: progress.bytes + [0x88, 0x7D, 1]) }
    }
}

extension HistoryEvent {
    static func completed(_ result: RawMessage<Payloads>? = nil) -> HistoryEvent {
        var attributes = WorkflowExecutionCompletedEventAttributes()
        attributes.result = result
        return closing(.workflowExecutionCompletedEventAttributes(attributes))
    }

    static func failed(_ failure: Failure) -> HistoryEvent {
        var attributes = WorkflowExecutionFailedEventAttributes()
        attributes.failure = RawMessage(failure)
        return closing(.workflowExecutionFailedEventAttributes(attributes))
    }

    static func timedOut() -> HistoryEvent {
        closing(.workflowExecutionTimedOutEventAttributes(WorkflowExecutionTimedOutEventAttributes()))
    }

    static func canceled() -> HistoryEvent {
        closing(.workflowExecutionCanceledEventAttributes(WorkflowExecutionCanceledEventAttributes()))
    }

    static func terminated() -> HistoryEvent {
        closing(.workflowExecutionTerminatedEventAttributes(WorkflowExecutionTerminatedEventAttributes()))
    }

    private static func closing(_ attributes: OneOf_Attributes) -> HistoryEvent {
        var event = HistoryEvent()
        event.attributes = attributes
        return event
    }
}
