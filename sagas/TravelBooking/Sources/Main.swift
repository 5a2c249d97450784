import Foundation
import Sagamore

/// The worker of the travel booking saga.
@main
struct Main {
    static func main() async {
        let environment = ProcessInfo.processInfo.environment
        do {
            let log = try environment["TRAVEL_BOOKING_ACTIVITY_LOG"].map { try ActivityLog(path: $0) }
            let client = try await connected()
            // With the five seconds after it, the worker ends within ten, even when the server does not answer.
            var options = WorkerOptions()
            options.gracefulShutdownPeriod = .seconds(3)
            let worker = Worker(client, taskQueue: Travel.booking.taskQueue, options: options) {
                TravelBooking.registered
                Agency(log: log).activities
            }
            print("working on task queue \(Travel.booking.taskQueue) of \(client.options.address)")
            fflush(nil)
            try await worker.run()
        } catch {
            FileHandle.standardError.write(Data("TravelBooking: \(error)\n".utf8))
            exit(1)
        }
    }

    /// Connects; waits for a server that is not up yet.
    private static func connected() async throws -> Client {
        var isFirst = true
        while true {
            do {
                return try await Client.connect()
            } catch let error as ClientError where error.code == .unavailable {
                if isFirst { FileHandle.standardError.write(Data("waiting: \(error)\n".utf8)) }
                isFirst = false
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}
