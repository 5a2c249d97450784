import SagamoreEngine
import SagamoreServices
import Testing

@testable import SagamoreGRPCFront

extension FrontTests {
    /// What is returned when answers with eager activities do not arrive.
    @Suite struct CompletionsUnderWayTests {
        private let task: [UInt8] = [1]
        private let activity = ActivityTaskToken(
            key: WorkflowKey(namespace: 1, workflowID: "w"),
            runID: RunID(high: 1, low: 2),
            scheduledEventID: 5,
            attempt: 1,
            nonce: 7
        )

        @Test func whatDidNotArriveIsReturnedOnce() {
            let completions = CompletionsUnderWay()
            completions.begin(task)
            #expect(completions.end(task, isDelivered: false, [activity]) == [activity])
            #expect(completions.end(task, isDelivered: false, [activity]).isEmpty)
            completions.begin(task)
            #expect(completions.end(task, isDelivered: true, [activity]).isEmpty)
        }

        /// The answer to the repeated completion arrives, before or after the first one is known to be lost.
        @Test(arguments: [[false, true], [true, false]]) func whatOneOfTwoAnswersBroughtStays(fates: [Bool]) {
            let completions = CompletionsUnderWay()
            completions.begin(task)
            completions.begin(task)
            for isDelivered in fates {
                #expect(completions.end(task, isDelivered: isDelivered, [activity]).isEmpty)
            }
        }

        @Test func whatNoneOfThemBroughtIsReturnedByTheLast() {
            let completions = CompletionsUnderWay()
            completions.begin(task)
            completions.begin(task)
            #expect(completions.end(task, isDelivered: false, [activity]).isEmpty)
            // The repeated completion was refused, or its answer had no activity.
            #expect(completions.end(task, isDelivered: false) == [activity])
        }

        @Test func tasksAreApart() {
            let completions = CompletionsUnderWay()
            completions.begin(task)
            completions.begin([2])
            #expect(completions.end(task, isDelivered: false, [activity]) == [activity])
            #expect(completions.end([2], isDelivered: true, [activity]).isEmpty)
        }
    }
}
