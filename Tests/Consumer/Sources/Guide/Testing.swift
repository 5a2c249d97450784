import Sagamore
import SagamoreTesting

/// Orders that are under way go on with the present code.
func ordersGoOn() throws {
    let replayer = WorkflowReplayer { OrderWorkflow.registered }
    try replayer.replay(WorkflowHistory(contentsOfFile: "Histories/order.json"))
}

/// The second attempt converts what the first one has left.
func conversionGoesOn() async throws {
    let environment = ActivityEnvironment { Videos.convert.implemented(Converter().convert) }
    environment.attempt = 2
    environment.heartbeatDetails = try EncodedValues(2)
    _ = try await environment.execute(Videos.convert, Video(name: "holidays", parts: 3))
    precondition(environment.heartbeats.count == 1)
}
