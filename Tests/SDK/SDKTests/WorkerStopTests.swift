import Sagamore
import SagamoreAPI
import Testing

@Suite(.timeLimit(.minutes(1)))
struct WorkerStopTests {
    private static let idle = Activity<Nothing, Nothing>("idle", .startToCloseTimeout(.seconds(1)))

    /// A stop must not wait for the check of the namespace, which has a deadline of 30 s.
    @Test func aWorkerStopsWhileTheServerDoesNotAnswerItsFirstCall() async throws {
        let service = try FakeService(
            [.getSystemInfo: answer(GetSystemInfoResponse())],
            unanswered: [.describeNamespace]
        )
        try await service.withClient { client in
            var options = WorkerOptions()
            options.stopsOnSignals = false
            let worker = Worker(client, taskQueue: "any", options: options) {
                Self.idle.implemented { (_: Nothing) in }
            }
            let run = Task { try await worker.run() }
            await service.awaitCall(of: .describeNamespace)
            let start = ContinuousClock.now
            worker.stop()
            try await run.value
            #expect(ContinuousClock.now - start < .seconds(10))
        }
        await service.stop()
    }
}
