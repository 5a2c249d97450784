import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

@Suite struct StartTests {
    @Test func startSchedulesTheFirstWorkflowTask() throws {
        let stage = Stage()
        let decision = try stage.start()
        #expect(
            decision.outline == [
                "1 WorkflowExecutionStarted", "fact requestSeen start", "2 WorkflowTaskScheduled",
                "offer workflow 2#1 on travel",
            ]
        )
    }
}
