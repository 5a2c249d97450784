import Foundation
import Sagamore
import SagamoreProgramTestSupport
import Testing

@testable import TravelBookingWorker

/// The sample as its users run it: the program, on a server.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct TravelBookingTests {
    @Test func aTripThatWorksOut() async throws {
        try await withSample { client, _ in
            let handle = try await start(client, goodTrip)
            #expect(try await handle.result() == Booked(car: "car-7", hotel: "hotel-4", flight: "flight-9"))
            #expect(try await handle.query(Travel.status) == ["book_car", "book_hotel", "book_flight"])
        }
    }

    @Test(arguments: [\Booking.car, \Booking.hotel, \Booking.flight])
    func eachStepFailingInTurn(_ step: WritableKeyPath<Booking, String> & Sendable) async throws {
        try await withSample { client, _ in
            var trip = goodTrip
            trip[keyPath: step] = "invalid-\(trip[keyPath: step])"
            let ended = try await end(try await start(client, trip))
            let error = try #require(ended.cause as? SagaCompensatedError, "\(ended)")
            let all = ["book_car", "book_hotel", "book_flight"]
            let tried = all.prefix([\Booking.car, \.hotel, \.flight].firstIndex(of: step)! + 1)
            #expect(error.compensations.map(\.step) == tried.reversed())
            #expect(error.compensations.map(\.compensation) == tried.reversed().map { "undo_" + $0 })
            #expect(error.compensations.allSatisfy { $0.status == .compensated })
            #expect(error.reason.hasPrefix("\(tried.last!) failed: there is no "))
        }
    }

    @Test func threeAttemptsOfEachStep() async throws {
        try await withSample { client, log in
            var trip = goodTrip
            trip.attempts = 3
            #expect(try await start(client, trip).result().status == "passed")
            let lines = try log()
            #expect(lines.map(\.attempt) == [1, 2, 3, 3, 1, 2, 3, 3, 1, 2, 3, 3])
            let returned = lines.filter { $0.phase == "returned" }.map(\.activity)
            #expect(returned == ["book_car", "book_hotel", "book_flight"])
        }
    }

    /// After a signal the booking ends compensated; after a cancel request it ends cancelled.
    @Test(arguments: [true, false])
    func aSlowTripIsGivenUp(_ bySignal: Bool) async throws {
        try await withSample { client, log in
            var trip = goodTrip
            trip.attempts = 1_000
            let handle = try await start(client, trip)
            while try log().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            if bySignal {
                try await handle.signal(Travel.cancel, Reason("the traveler is ill"))
            } else {
                try await handle.cancel()
            }
            let ended = try await end(handle)
            let compensations: [SagaCompensation]
            if bySignal {
                let error = try #require(ended.cause as? SagaCompensatedError, "\(ended)")
                #expect(error.reason == "the booking was cancelled: the traveler is ill")
                compensations = error.compensations
            } else {
                #expect(ended.way == .canceled)
                compensations = try ended.details.decode([SagaCompensation].self)
            }
            #expect(compensations.map(\.compensation) == ["undo_book_car"])
        }
    }

    @Test func anInputThatIsNoBooking() async throws {
        try await withSample { client, _ in
            let type = WorkflowType<[String: String], Nothing>("TravelBooking", taskQueue: "travel-booking")
            let ended = try await end(
                try await client.start(type, ["user_id": "u"], WorkflowOptions(id: UUID().uuidString))
            )
            let error = try #require(ended.cause as? ApplicationError, "\(ended)")
            #expect(error.type == "InvalidInput")
            #expect(error.message.contains("'car' is missing"), "\(error)")
        }
    }

    private func withSample(
        _ body: (_ client: Client, _ log: () throws -> [Sample.Line]) async throws -> Void
    ) async throws {
        let sample = try Sample()
        let worker = try sample.worker()
        try await body(try await sample.client(), sample.log)
        worker.signal(SIGTERM)
        #expect(worker.status() == 0, "\(worker.errors)")
    }
}
