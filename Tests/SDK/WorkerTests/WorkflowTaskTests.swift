import SagamoreAPI
import SagamoreProtobuf
import Testing

@testable import Sagamore

struct WorkflowTaskTests {
    /// A task for a cached run has only new events, but the attempt number is in the first event.
    @Test func theAttemptIsKnownOnceTheHistoryIsWhole() {
        var started = WorkflowExecutionStartedEventAttributes()
        started.attempt = 3
        var first = HistoryEvent()
        first.eventID = 1
        first.attributes = .workflowExecutionStartedEventAttributes(started)
        var last = HistoryEvent()
        last.eventID = 2
        var response = PollWorkflowTaskQueueResponse()
        response.history = History()
        response.history?.events = [last]
        response.startedEventID = 2
        let task = WorkflowTask(response, taskQueue: "q", namespace: "n")
        #expect(!task.isWhole && task.info.attempt == 1)
        let whole = task.completed(by: [first])
        #expect(whole.isWhole && whole.info.attempt == 3 && whole.info.taskQueue == "q")
        #expect(whole.events.map(\.eventID) == [1, 2])
    }
}
