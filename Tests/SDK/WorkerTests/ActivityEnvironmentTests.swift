import Sagamore
import SagamoreTesting
import Testing

/// Activities run without a server.
@Suite(.timeLimit(.minutes(1)))
struct ActivityEnvironmentTests {
    private struct Odd: Error, Equatable { let number: Int }
    private static let options = ActivityOptions(startToCloseTimeout: .seconds(5), heartbeatTimeout: .seconds(2))
    private static let convert = Activity<Int, String>("convert", options)
    private static let wait = Activity<Nothing, Nothing>("wait", options)

    private static func environment() -> ActivityEnvironment {
        ActivityEnvironment {
            convert.implemented { context, count in
                var done = 0
                if context.heartbeatDetails.count > 0 { done = try context.heartbeatDetails.decode(Int.self) }
                guard count >= 0 else { throw Odd(number: count) }
                while done < count {
                    done += 1
                    try context.heartbeat(done)
                }
                let info = context.info
                return "\(info.type) \(info.attempt) \(info.workflowID) \(info.heartbeatTimeout as Any) \(done)"
            }
            wait.implemented { (_: Nothing) -> Nothing in
                while !Task.isCancelled { await Task.yield() }
                throw CanceledError("as asked")
            }
        }
    }

    @Test func anActivityRunsWithItsContext() async throws {
        let environment = Self.environment()
        environment.attempt = 3
        environment.workflowID = "order-7"
        let timeout = Duration.seconds(2) as Duration?
        #expect(try await environment.execute(Self.convert, 2) == "convert 3 order-7 \(timeout as Any) 2")
        #expect(try environment.heartbeats.map { try $0.decode(Int.self) } == [1, 2])
        environment.heartbeatDetails = try EncodedValues(4)
        _ = try await environment.execute(Self.convert, 5)
        #expect(try environment.heartbeats.map { try $0.decode(Int.self) } == [1, 2, 5])
    }

    @Test func errorsArriveAsTheyAre() async throws {
        let environment = Self.environment()
        await #expect(throws: Odd(number: -1)) { try await environment.execute(Self.convert, -1) }
        let other = Activity<Int, String>("other", Self.options)
        let error = await #expect(throws: ApplicationError.self) { try await environment.execute(other, 1) }
        #expect(error?.type == "NotFoundError")
        #expect(error?.message.hasSuffix("with this worker; registered: convert, wait") == true)
        let wrong = Activity<[String], String>("convert", Self.options)
        let input = await #expect(throws: ApplicationError.self) { try await environment.execute(wrong, ["a"]) }
        #expect(input?.type == "InvalidInput")
    }

    @Test func aRunningActivityIsCanceled() async throws {
        let environment = Self.environment()
        let running = Task { try await environment.execute(Self.wait) }
        environment.cancel()
        await #expect(throws: CanceledError.self) { try await running.value }
        // And one that begins later.
        await #expect(throws: CanceledError.self) { try await environment.execute(Self.wait) }
        // The test's own task, too.
        let second = Self.environment()
        let canceled = Task { try await second.execute(Self.wait) }
        canceled.cancel()
        await #expect(throws: CanceledError.self) { try await canceled.value }
    }
}
