import Foundation
import SagamoreEngine
import SagamoreServices
import Testing

/// All tests of this target. They use a real database, and threads that block.
@Suite(.serialized)
struct HistoryTests {}

/// A request, and its answer once there is one.
final class Call<Success: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private var outcome: Result<Success, RequestError>?
    private var answerCount = 0

    init(_ body: (Reply<Success>) -> Void) {
        body(
            Reply { [self] outcome in
                condition.lock()
                self.outcome = outcome
                answerCount += 1
                condition.broadcast()
                condition.unlock()
            }
        )
    }

    /// The answer, if there is one.
    var answer: Result<Success, RequestError>? {
        condition.lock()
        defer { condition.unlock() }
        return outcome
    }

    var isAnswered: Bool { answer != nil }

    private func wait(_ location: SourceLocation) throws -> Result<Success, RequestError> {
        let deadline = Date(timeIntervalSinceNow: 60)
        condition.lock()
        defer { condition.unlock() }
        while outcome == nil, condition.wait(until: deadline) {}
        return try #require(outcome, "no answer came for a minute", sourceLocation: location)
    }

    /// Waits for the answer.
    @discardableResult
    func get(_ location: SourceLocation = #_sourceLocation) throws -> Success {
        try wait(location).get()
    }

    /// Waits for the answer, which must be an error.
    func error(_ location: SourceLocation = #_sourceLocation) throws -> RequestError {
        switch try wait(location) {
        case .failure(let error): return error
        case .success(let value):
            return try #require(nil as RequestError?, "an error was expected, not \(value)", sourceLocation: location)
        }
    }
}

/// Waits until `condition` holds. The test fails after a minute.
func eventually(
    _ what: @autoclosure () -> String = "",
    _ location: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try !condition() {
        try #require(ContinuousClock.now < deadline, "waited for a minute: \(what())", sourceLocation: location)
        usleep(1_000)
    }
}

/// The real clock, with jumps.
final class TestClock: @unchecked Sendable {
    private let lock = NSLock()
    private var offset: Int64 = 0

    var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        lock.lock()
        defer { lock.unlock() }
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) + offset)
    }

    func jump(_ interval: Interval) {
        lock.lock()
        offset += interval.nanoseconds
        lock.unlock()
    }
}
