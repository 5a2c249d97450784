import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

/// Completions of workflow tasks: commands in order, next tasks, eager activities, repeated completions.
@Suite struct CompletionTests {
    private func running() throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        return stage
    }

    private func answer(_ decision: Decision) throws -> WorkflowTaskCompletion {
        guard case .completion(let answer) = decision.reply else { throw UnexpectedReply() }
        return answer
    }

    private struct UnexpectedReply: Error {}

    @Test func commandsAreCarriedOutInOrder() throws {
        let stage = try running()
        let decision = try stage.complete(
            Samples.marker("m"),
            Samples.schedule("a"),
            Samples.startTimer("t", .seconds(1)),
            Samples.upsertSearchAttributes(["Place": "x"]),
            Samples.modifyMemo(["note": "y"])
        )
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskCompleted", "5 MarkerRecorded", "6 ActivityTaskScheduled",
                "7 TimerStarted", "8 UpsertWorkflowSearchAttributes", "9 WorkflowPropertiesModified",
                "fact workflowTaskCompleted 3", "offer activity 6#1 on travel",
            ]
        )
    }

    @Test func completedEventCarriesTheWorkersData() throws {
        let stage = try running()
        let decision = try stage.complete { request in
            request.sdkMetadata = WorkflowTaskCompletedMetadata()
            request.meteringMetadata = MeteringMetadata()
            request.workerVersionStamp = WorkerVersionStamp()
            request.workerVersionStamp?.buildID = "build"
        }
        guard case .workflowTaskCompletedEventAttributes(let attributes) = decision.events[1].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.scheduledEventID == 2)
        #expect(attributes.startedEventID == 3)
        #expect(attributes.identity == "worker")
        #expect(attributes.sdkMetadata == WorkflowTaskCompletedMetadata())
        #expect(attributes.meteringMetadata == MeteringMetadata())
        #expect(attributes.workerVersion?.buildID == "build")
    }

    @Test func memoAndSearchAttributesAreMergedAndNullRemovesAField() throws {
        let stage = Stage()
        try stage.start { $0.memo = Samples.memo(["a": "1", "b": "2"]) }
        try stage.run(
            Samples.modifyMemo(["a": nil, "c": "3"]),
            Samples.upsertSearchAttributes(["Place": "x"]),
            Samples.upsertSearchAttributes(["Place": "y", "Other": "z"])
        )
        let state = stage.execution.durable
        #expect(try state.memo?.decoded() == Samples.memo(["b": "2", "c": "3"]).decoded())
        let expected = try Samples.searchAttributes(["Place": "y", "Other": "z"]).decoded()
        #expect(try state.searchAttributes?.decoded() == expected)
    }

    @Test func workerMayRequestAnotherTask() throws {
        let stage = try running()
        let decision = try stage.complete { $0.forceCreateNewWorkflowTask = true }
        #expect(decision.outline.suffix(2) == ["5 WorkflowTaskScheduled", "offer workflow 5#1 on travel"])
        #expect(try answer(decision).nextTask == nil)
    }

    @Test func nextTaskIsReturnedInTheAnswer() throws {
        let stage = try running()
        try stage.signal("meanwhile")
        let decision = try stage.complete { $0.returnNewWorkflowTask = true }
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskCompleted", "fact workflowTaskCompleted 3",
                "5 WorkflowExecutionSignaled", "6 WorkflowTaskScheduled", "volatile workflowTaskStarted 7#1",
            ]
        )
        let next = try #require(try answer(decision).nextTask)
        #expect(next.previousStartedEventID == 3)
        #expect(next.isSticky)
        #expect(next.lastWrittenEventID == 6)
        #expect(next.unwrittenEvents.map(\.event.eventID) == [7])
        try stage.complete(Samples.complete())
        #expect(stage.historyOutline.last == "9 WorkflowExecutionCompleted")
    }

    @Test func eagerActivityIsReturnedStartedInTheAnswer() throws {
        let stage = try running()
        let decision = try stage.complete(
            Samples.schedule("eager") { $0.requestEagerExecution = true },
            Samples.schedule("elsewhere") {
                $0.requestEagerExecution = true
                $0.taskQueue = Samples.queue("other")
            }
        )
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskCompleted", "5 ActivityTaskScheduled",
                "6 ActivityTaskScheduled", "fact activityStarted 5#1", "fact workflowTaskCompleted 3",
                "offer activity 6#1 on other",
            ]
        )
        #expect(try answer(decision).eagerActivities.map(\.activity.activityID) == ["eager"])
        try stage.completeActivity(5)
        #expect(
            stage.historyOutline.suffix(3) == [
                "7 ActivityTaskStarted", "8 ActivityTaskCompleted", "9 WorkflowTaskScheduled",
            ]
        )
    }

    @Test func repeatedCompletionGetsTheSameAnswer() throws {
        let stage = try running()
        let token = stage.token
        let first = try stage.complete(
            Samples.schedule("a") { $0.requestEagerExecution = true },
            Samples.schedule("b") { $0.requestEagerExecution = true }
        )
        let again = try stage.complete(token: token)
        #expect(again.outline.isEmpty)
        let ids = try answer(first).eagerActivities.map(\.activity.scheduledEventID)
        #expect(ids == [5, 6])
        #expect(try answer(again).eagerActivities.map(\.activity.scheduledEventID) == ids)
        // A later owner gives the same answer, without activities that have ended since.
        stage.crash()
        try stage.completeActivity(5)
        #expect(try answer(try stage.complete(token: token)).eagerActivities.map(\.activity.scheduledEventID) == [6])
    }

    @Test func repeatedCompletionGetsTheNextTaskAgain() throws {
        let stage = try running()
        let token = stage.token
        try stage.complete { request in
            request.forceCreateNewWorkflowTask = true
            request.returnNewWorkflowTask = true
        }
        let nonce = stage.execution.volatile.startedTask?.nonce
        let again = try stage.complete(token: token) { $0.returnNewWorkflowTask = true }
        #expect(try answer(again).nextTask?.task.nonce == nonce)
        #expect(try answer(again).nextTask?.unwrittenEvents.map(\.event.eventID) == [6])
    }

    @Test func repeatedCompletionGetsNoActivityThatAnotherWorkerHas() throws {
        let stage = try running()
        let token = stage.token
        try stage.complete(Samples.schedule("a") { $0.requestEagerExecution = true })
        stage.returnActivity(5)
        try stage.pollActivity(5)
        #expect(try answer(try stage.complete(token: token)).eagerActivities.isEmpty)
    }

    @Test func repeatedClosingCompletionIsAnsweredAgain() throws {
        let stage = try running()
        let token = stage.token
        try stage.complete(Samples.complete())
        #expect(try stage.complete(token: token).outline.isEmpty)
    }

    @Test func olderCompletionIsRefused() throws {
        let stage = try running()
        let token = stage.token
        try stage.complete { $0.forceCreateNewWorkflowTask = true }
        try stage.run()
        #expect(throws: RequestError.self) { try stage.complete(token: token) }
    }

    @Test func noActivityIsStartedWhenTheSameTaskClosesTheRun() throws {
        let stage = try running()
        let decision = try stage.complete(
            Samples.schedule("eager") { $0.requestEagerExecution = true },
            Samples.schedule("offered"),
            Samples.complete()
        )
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskCompleted", "5 ActivityTaskScheduled",
                "6 ActivityTaskScheduled", "7 WorkflowExecutionCompleted", "fact workflowTaskCompleted 3",
            ]
        )
        #expect(try answer(decision).eagerActivities.isEmpty)
    }
}
