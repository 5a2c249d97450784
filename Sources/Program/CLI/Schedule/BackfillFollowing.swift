internal import Glibc
internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// Waits until the starts of a backfill have been decided.
struct BackfillFollowing {
    private let scheduleID: String
    private let client: ServiceClient
    /// How many times the backfill has.
    private let count: Int
    /// What the schedule had decided before.
    private let before: Decided

    private static let pause = Duration.milliseconds(500)
    /// How often nothing may happen until the rest counts as refused: starts whose workflow id is in use.
    private static let patience = 10

    /// What a schedule has decided of its starts.
    struct Decided: Equatable {
        var started: Int64 = 0
        var skipped: Int64 = 0
        /// Those that found no room.
        var dropped: Int64 = 0
        var waiting: Int64 = 0

        var sum: Int64 { started + skipped + dropped }

        /// `3 of 10 started, 2 skipped, 5 wait`, since another state.
        func line(since before: Decided, of count: Int) -> String {
            var parts = ["\(started - before.started) of \(count) started"]
            if skipped > before.skipped { parts.append("\(skipped - before.skipped) skipped") }
            if dropped > before.dropped { parts.append("\(dropped - before.dropped) dropped") }
            if waiting > 0 { parts.append("\(waiting) wait") }
            return parts.joined(separator: ", ")
        }
    }

    /// Counts the times, before the backfill is asked for.
    init(of backfill: BackfillRequest, schedule scheduleID: String, _ client: ServiceClient) async throws {
        self.scheduleID = scheduleID
        self.client = client
        before = try await Self.decided(scheduleID, client)
        var request = ListScheduleMatchingTimesRequest()
        request.namespace = client.namespace
        request.scheduleID = scheduleID
        request.endTime = backfill.endTime
        // The first time is included in a backfill, and not in a question.
        var start = backfill.startTime ?? ProtobufTimestamp()
        start.seconds -= 1
        var count = 0
        while true {
            request.startTime = start
            let page: ListScheduleMatchingTimesResponse = try await client.call(.listScheduleMatchingTimes, request)
            guard let last = page.startTime.last else { break }
            count += page.startTime.count { !$0.isEarlier(than: backfill.startTime ?? $0) }
            start = last
        }
        self.count = count
    }

    /// - Returns: what has become of the backfill.
    func run() async throws -> String {
        let isTerminal = isatty(2) == 1
        var last = before
        var quiet = 0
        while true {
            let now = try await Self.decided(scheduleID, client)
            let line = now.line(since: before, of: count)
            if isTerminal { StandardError.write("\r\u{1b}[K\(line)") }
            quiet = now == last && now.waiting == 0 ? quiet + 1 : 0
            let isOver = now.sum - before.sum >= count && now.waiting == 0
            if isOver || quiet > Self.patience {
                if isTerminal { StandardError.write("\r\u{1b}[K") }
                return "Backfill: \(line)"
            }
            last = now
            // Nobody cancels the task of a command.
            try? await Task.sleep(for: Self.pause)
        }
    }

    private static func decided(_ id: String, _ client: ServiceClient) async throws -> Decided {
        var request = DescribeScheduleRequest()
        request.namespace = client.namespace
        request.scheduleID = id
        let response: DescribeScheduleResponse = try await client.call(.describeSchedule, request)
        let info = response.info ?? ScheduleInfo()
        return Decided(
            started: info.actionCount,
            skipped: info.overlapSkipped,
            dropped: info.bufferDropped,
            waiting: info.bufferSize
        )
    }
}

extension ProtobufTimestamp {
    fileprivate func isEarlier(than other: ProtobufTimestamp) -> Bool {
        (seconds, nanos) < (other.seconds, other.nanos)
    }
}
