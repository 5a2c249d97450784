import Foundation
import Sagamore
import SagamoreProgramTestSupport
import Testing

@testable import TravelBookingWorker

let goodTrip = Booking(userID: "u-1", car: "car-7", hotel: "hotel-4", flight: "flight-9")

func start(_ client: Client, _ trip: Booking) async throws -> WorkflowHandle<Booked> {
    try await client.start(Travel.booking, trip, WorkflowOptions(id: UUID().uuidString))
}

func end<Output>(_ handle: WorkflowHandle<Output>) async throws -> WorkflowFailedError {
    try #require(await #expect(throws: WorkflowFailedError.self) { _ = try await handle.result() })
}

/// The sample in one test: a log, and workers that write to it.
final class Sample: Sendable {
    struct Line: Decodable {
        let activity: String
        let attempt: Int
        let phase: String
    }

    static let namespaces = (0...10).map { "sample-\($0)" }

    private static let server = Result {
        try DevProgram(
            dataFolder: "/tmp/sagamore-sample-tests-\(UUID().uuidString)",
            options: ["--ephemeral"] + namespaces.flatMap { ["--namespace", $0] }
        )
    }

    private let folder: TemporaryFolder
    private let address: String
    private let namespace: String

    /// - Parameter address: the server's address; nil for the shared server.
    init(namespace: String = Sample.namespaces[0], address: String? = nil) throws {
        self.namespace = namespace
        folder = try TemporaryFolder()
        self.address = try address ?? Self.server.get().address()
    }

    private var logPath: String { folder.path + "/activities" }

    /// Starts a worker and waits until it is ready.
    func worker() throws -> RunningProgram {
        let program = try RunningProgram(
            [],
            program: "TravelBooking",
            environment: [
                "SAGAMORE_ADDRESS": address, "SAGAMORE_NAMESPACE": namespace, "TRAVEL_BOOKING_ACTIVITY_LOG": logPath,
            ]
        )
        try program.wait(until: { program.output.contains("working on task queue travel-booking") })
        return program
    }

    func client() async throws -> Client {
        try await Client.connect(ClientOptions(address: address, namespace: namespace))
    }

    /// The complete lines written so far.
    func log() throws -> [Line] {
        guard let data = FileManager.default.contents(atPath: logPath) else { return [] }
        return try data.split(separator: 10).map { try JSONDecoder().decode(Line.self, from: $0) }
    }
}
