import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

@Suite struct TimerTests {
    private func waiting(_ commands: Command...) throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.complete { $0.commands = commands }
        return stage
    }

    @Test func timerFiresWhenItIsDue() throws {
        let stage = try waiting(Samples.startTimer("t", .milliseconds(150)))
        #expect(stage.execution.nextDeadline == stage.now + .milliseconds(150))
        #expect(stage.passAndDecide(.milliseconds(149)).isEmpty)
        let due = stage.passAndDecide(.milliseconds(1))
        #expect(due.map(\.outline) == [["6 TimerFired", "7 WorkflowTaskScheduled", "offer workflow 7#1 on travel"]])
        guard case .timerFiredEventAttributes(let attributes) = due[0].events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.timerID == "t")
        #expect(attributes.startedEventID == 5)
        #expect(stage.passAndDecide(.seconds(1)).isEmpty)
    }

    @Test func timerOfZeroFiresAtOnce() throws {
        let stage = try waiting(Samples.startTimer("t", .zero))
        #expect(stage.passAndDecide(.zero).map(\.eventOutline) == [["6 TimerFired", "7 WorkflowTaskScheduled"]])
    }

    @Test func timersFireInTimeOrderAndScheduleOneWorkflowTask() throws {
        let stage = try waiting(Samples.startTimer("late", .seconds(2)), Samples.startTimer("early", .seconds(1)))
        let due = stage.passAndDecide(.seconds(3))
        #expect(
            due.map(\.outline) == [
                ["7 TimerFired", "8 WorkflowTaskScheduled", "9 TimerFired", "offer workflow 8#1 on travel"]
            ]
        )
        guard case .timerFiredEventAttributes(let first) = due[0].events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(first.timerID == "early")
    }

    @Test func cancelledTimerDoesNotFire() throws {
        let stage = try waiting(Samples.startTimer("t", .seconds(1)))
        try stage.signal("go")
        let decision = try stage.run(Samples.cancelTimer("t"))
        #expect(decision.eventOutline.last == "10 TimerCanceled")
        guard case .timerCanceledEventAttributes(let attributes) = decision.events[2].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.timerID == "t")
        #expect(attributes.startedEventID == 5)
        #expect(attributes.workflowTaskCompletedEventID == 9)
        #expect(attributes.identity == "worker")
        #expect(stage.passAndDecide(.seconds(5)).flatMap(\.outline).isEmpty)
    }

    @Test func idOfACancelledTimerCanBeReusedInTheSameTask() throws {
        let stage = try waiting(
            Samples.startTimer("t", .seconds(60)),
            Samples.cancelTimer("t"),
            Samples.startTimer("t", .seconds(50))
        )
        #expect(stage.historyOutline.suffix(3) == ["5 TimerStarted", "6 TimerCanceled", "7 TimerStarted"])
        #expect(stage.execution.durable.timerIDs == [ExactText("t"): 7])
    }

    @Test func canonicallyEquivalentIDsAreTwoTimers() throws {
        let stage = try waiting(
            Samples.startTimer("caf\u{E9}", .seconds(60)),
            Samples.startTimer("cafe\u{301}", .seconds(50)),
            Samples.cancelTimer("cafe\u{301}")
        )
        #expect(stage.historyOutline.suffix(3) == ["5 TimerStarted", "6 TimerStarted", "7 TimerCanceled"])
        #expect(stage.execution.durable.timers.keys.sorted() == [5])
    }

    @Test func firingDuringATaskIsBuffered() throws {
        let stage = try waiting(Samples.startTimer("t", .seconds(1)))
        try stage.signal("go")
        try stage.pollWorkflowTask()
        #expect(stage.passAndDecide(.seconds(1)).flatMap(\.outline) == ["fact eventBuffered TimerFired"])
        #expect(try stage.complete().eventOutline.suffix(2) == ["10 TimerFired", "11 WorkflowTaskScheduled"])
    }

    @Test func cancellationRemovesABufferedFiring() throws {
        let stage = try waiting(Samples.startTimer("t", .seconds(1)))
        try stage.signal("go")
        try stage.pollWorkflowTask()
        stage.passAndDecide(.seconds(1))
        let decision = try stage.complete(Samples.cancelTimer("t"), Samples.complete())
        #expect(
            decision.eventOutline == [
                "8 WorkflowTaskStarted", "9 WorkflowTaskCompleted", "10 TimerCanceled", "11 WorkflowExecutionCompleted",
            ]
        )
        #expect(stage.execution.durable.bufferedEvents.isEmpty)
    }

    @Test func removedFiringKeepsOtherBufferedEvents() throws {
        let stage = try waiting(Samples.startTimer("t", .seconds(1)))
        try stage.signal("go")
        try stage.pollWorkflowTask()
        stage.passAndDecide(.seconds(1))
        try stage.signal("more")
        let decision = try stage.complete(Samples.cancelTimer("t"), Samples.startTimer("t", .seconds(9)))
        #expect(
            decision.eventOutline.suffix(4) == [
                "10 TimerCanceled", "11 TimerStarted", "12 WorkflowExecutionSignaled", "13 WorkflowTaskScheduled",
            ]
        )
        #expect(stage.execution.durable.bufferedBytes == 0)
    }

    @Test func timerWithTheIDOfABufferedFiringIsAnotherTimer() throws {
        let stage = try waiting(Samples.startTimer("t", .seconds(1)))
        try stage.signal("go")
        try stage.pollWorkflowTask()
        stage.passAndDecide(.seconds(1))
        let decision = try stage.complete(Samples.startTimer("t", .seconds(9)), Samples.cancelTimer("t"))
        #expect(
            decision.eventOutline.suffix(4) == [
                "10 TimerStarted", "11 TimerCanceled", "12 TimerFired", "13 WorkflowTaskScheduled",
            ]
        )
    }

    @Test func timersSurviveACrash() throws {
        let stage = try waiting(Samples.startTimer("t", .seconds(2)))
        stage.pass(.seconds(1))
        stage.crash()
        #expect(stage.passAndDecide(.seconds(1)).map(\.eventOutline) == [["6 TimerFired", "7 WorkflowTaskScheduled"]])
    }
}
