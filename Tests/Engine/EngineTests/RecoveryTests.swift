import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

@Suite struct RecoveryTests {
    @Test func startedTaskIsDueAgainAfterACrash() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        #expect(stage.crash().outline.isEmpty)
        #expect(stage.execution.dueTasks().map(\.outline) == ["offer workflow 2#1 on travel"])
    }

    @Test func recoveryWritesBufferedEvents() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.signal("first")
        try stage.signal("second")
        #expect(stage.crash().outline == ["3 WorkflowExecutionSignaled", "4 WorkflowExecutionSignaled"])
        #expect(stage.crash().outline.isEmpty)
        #expect(try stage.run().eventOutline == ["5 WorkflowTaskStarted", "6 WorkflowTaskCompleted"])
    }

    @Test func eventsAfterABufferedEventAreBufferedUntilRecovery() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.signal("first")
        // A new owner that has not recovered the run yet.
        var rebuilt = SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID)
        for entry in stage.entries { rebuilt.apply(entry) }
        let decision = try rebuilt.decide(try Samples.signal("second"), at: stage.now)
        #expect(decision.outline == ["fact eventBuffered WorkflowExecutionSignaled"])
    }

    @Test func laterAttemptIsDueAgainAfterACrash() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.failTask()
        try stage.pollWorkflowTask()
        stage.crash()
        #expect(stage.execution.dueTasks().map(\.outline) == ["offer workflow 0#2 on travel"])
        #expect(try stage.pollWorkflowTask().outline == ["volatile workflowTaskStarted 6#2"])
    }

    @Test func unstartedActivitiesAreDueAfterACrashAndRunningOnesAreNot() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a"), Samples.schedule("b"), Samples.schedule("c"))
        try stage.pollActivity(6)
        stage.crash()
        #expect(
            stage.execution.dueTasks().map(\.outline) == [
                "offer activity 5#1 on travel", "offer activity 7#1 on travel",
            ]
        )
    }

    @Test func stickyTaskIsOfferedOnItsStickyQueueAfterACrash() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(sticky: "sticky")
        try stage.signal("go")
        stage.crash()
        #expect(stage.execution.dueTasks().map(\.outline) == ["offer workflow 6#1 on sticky sticky"])
    }

    @Test func factsAreCountedWithTheirBytes() throws {
        let stage = Stage()
        try stage.start(requestID: "")
        try stage.run(Samples.schedule("a"))
        try stage.pollActivity(5)
        try stage.failActivity(5)
        let frames = stage.entries.compactMap { entry in
            if case .fact(let recorded) = entry { recorded.frame } else { nil }
        }
        #expect(frames.count >= 3)
        for _ in 0..<2 {
            #expect(stage.execution.durable.factCount == Int64(frames.count))
            #expect(stage.execution.durable.factBytes == Int64(frames.joined().count))
            stage.crash()
        }
        #expect(try FactCoding.decode(Array(frames.joined())).map(\.frame) == frames)
    }

    @Test func startDelaySurvivesACrash() throws {
        let stage = Stage()
        try stage.start { $0.workflowStartDelay = Interval.seconds(5).duration }
        stage.crash()
        #expect(stage.execution.dueTasks().isEmpty)
        #expect(stage.passAndDecide(.seconds(5)).map(\.eventOutline) == [["2 WorkflowTaskScheduled"]])
    }
}
