import Foundation
import Sagamore
import SagamoreProgramTestSupport
import Testing

@testable import TravelBookingWorker

/// The sample's worker, killed. Each case has a namespace of its own, since they run at the same time.
@Suite(.timeLimit(.minutes(3)))
struct KillTests {
    /// The server stops responding in the middle of the work. The worker must end nevertheless.
    @Test func theWorkerEndsInTimeWhenTheServerDoesNotAnswer() async throws {
        let dev = try DevProgram(dataFolder: "/tmp/sagamore-sample-tests-\(UUID().uuidString)")
        defer {
            dev.program.signal(SIGCONT)
            dev.stop()
        }
        let sample = try Sample(namespace: "default", address: dev.address())
        let worker = try sample.worker()
        let client = try await sample.client()
        let trips = Task {
            for _ in 0..<300 { _ = try await start(client, goodTrip) }
        }
        while try sample.log().count < 100 { try await Task.sleep(for: .milliseconds(2)) }
        dev.program.signal(SIGSTOP)
        trips.cancel()
        let signalled = ContinuousClock.now
        worker.signal(SIGTERM)
        #expect(worker.status() == 0)
        #expect(ContinuousClock.now - signalled < .seconds(10))
    }

    /// The worker is killed after each of the lines that a trip with an invalid flight writes, and another one
    /// continues. In every case, each booking is undone once, in reverse order.
    @Test(arguments: 1...10)
    func theWorkerKilledAtEveryPoint(_ lines: Int) async throws {
        let sample = try Sample(namespace: Sample.namespaces[lines])
        var worker = try sample.worker()
        let client = try await sample.client()
        var trip = goodTrip
        trip.flight = "invalid-flight"
        trip.attempts = 2
        let handle = try await start(client, trip)
        while try sample.log().count < lines { try await Task.sleep(for: .milliseconds(2)) }
        worker.signal(SIGKILL)
        worker.status()
        worker = try sample.worker()
        let error = try #require(try await end(handle).cause as? SagaCompensatedError)
        #expect(error.compensations.map(\.compensation) == ["undo_book_flight", "undo_book_hotel", "undo_book_car"])
        #expect(error.compensations.allSatisfy { $0.status == .compensated })
        worker.signal(SIGTERM)
        #expect(worker.status() == 0)
        let returned = try sample.log().filter { $0.phase == "returned" }.map(\.activity)
        // An activity that had returned when the worker died may have run again.
        let once = returned.enumerated().filter { $0.offset == 0 || returned[$0.offset - 1] != $0.element }
        #expect(
            once.map(\.element) == ["book_car", "book_hotel", "undo_book_flight", "undo_book_hotel", "undo_book_car"]
        )
    }
}
