import Foundation
import SagamoreProgramTestSupport
import Testing

@testable import Sagamore

/// How workers on the official Python SDK end.
@Suite(.timeLimit(.minutes(4)), .enabled(PythonWorker.missing) { PythonWorker.python != nil })
struct PythonWorkerEndTests {
    private struct Seconds: Decodable {
        var cancelled: Double
        var failed: Double
        var refused: Double
    }

    /// A worker waits for its polls before it stops: they have to end with ShutdownWorker, not after a minute.
    @Test func workersThatAreCancelledOrFailStopSoon() async throws {
        let address = try await blocking { try DevProgram.shared().address() }
        let queue = "stopping-\(UUID().uuidString)"
        let output = try await blocking { try PythonWorker.output(of: "stopping.py", [address, queue]) }
        // The SDK logs to the same place.
        let last = try #require(output.split(separator: UInt8(ascii: "\n")).last)
        let seconds = try JSONDecoder().decode(Seconds.self, from: Data(last))
        #expect(seconds.cancelled < 15)
        #expect(seconds.failed < 15)
        #expect(seconds.refused < 15)
    }

    /// The run is in the killed worker's memory, and its tasks wait for that worker first.
    @Test func aRunGoesOnSoonWhenItsWorkerIsKilled() async throws {
        let client = try await connect()
        let address = client.options.address
        let queue = "sticky-\(UUID().uuidString)"
        let first = try await blocking { try PythonWorker("sticky.py", [address, queue]) }
        let kind = WorkflowKind<Nothing, String>("PyWaiting", taskQueue: queue)
        let handle = try await client.start(kind, Nothing(), WorkflowOptions(id: queue))
        // The answer comes from the first worker's memory.
        #expect(try await handle.query(Query<Nothing, Bool>("is_waiting")))
        let second = try await blocking { try PythonWorker("sticky.py", [address, queue]) }
        try await blocking { first.kill() }
        let begin = ContinuousClock.now
        try await handle.signal(Signal<String>("say"), "done")
        #expect(try await handle.result() == "done")
        #expect(ContinuousClock.now - begin < .seconds(5))
        second.stop()
        await close(client)
    }
}
