import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import Testing

@testable import SagamoreScheduling

enum Zones {
    static let all = TimeZones { name in
        guard let data = FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)") else { return nil }
        return TimeZoneRules(file: [UInt8](data))
    }

    static let areInstalled = FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/Europe/Berlin")
}

extension Instant {
    /// `2026-10-25T00:30:00Z`, or without the Z and less behind the hour.
    static func at(_ text: String) throws -> Instant { try #require(Instant(rfc3339: text)) }

    static func seconds(_ count: Int64) -> Instant { Instant(nanoseconds: count * 1_000_000_000) }
}

extension ScheduleSpec {
    static func cron(_ texts: String..., zone: String = "") -> ScheduleSpec {
        var spec = ScheduleSpec()
        spec.cronString = texts
        spec.timezoneName = zone
        return spec
    }

    static func every(_ seconds: Int64, phase: Int64 = 0) -> ScheduleSpec {
        var interval = IntervalSpec()
        interval.interval = Interval.seconds(seconds).duration
        if phase > 0 { interval.phase = Interval.seconds(phase).duration }
        var spec = ScheduleSpec()
        spec.interval = [interval]
        return spec
    }

    func times(seed: String = "s") throws -> ScheduleTimes {
        try ScheduleTimes(try canonical(), seed: seed, Zones.all)
    }

    /// The times between two instants as `DD HH:MM`, or with seconds if there are some.
    func shown(from start: String, to end: String) throws -> [String] {
        try times().matching(from: try .at(start), to: try .at(end), limit: 1_000).map { time in
            let text = time.rfc3339
            return "\(text.dropFirst(8).prefix(2)) \(text.dropFirst(11).prefix(5))"
        }
    }
}

/// A schedule of the workflow `W` in namespace 1.
struct Given {
    var spec = ScheduleSpec.every(10)
    var policy = ScheduleOverlapPolicy.skip
    var change: (inout Schedule) -> Void = { _ in }

    func definition() throws -> ScheduleDefinition {
        var workflow = NewWorkflowExecutionInfo()
        workflow.workflowID = "w"
        workflow.workflowType = WorkflowType()
        workflow.workflowType?.name = "W"
        workflow.taskQueue = TaskQueue()
        workflow.taskQueue?.name = "q"
        var schedule = Schedule()
        schedule.spec = spec
        schedule.action = ScheduleAction()
        schedule.action?.action = .startWorkflow(workflow)
        schedule.policies = SchedulePolicies()
        schedule.policies?.overlapPolicy = policy
        change(&schedule)
        var limits = Limits()
        limits.timeZones = Zones.all
        return try ScheduleDefinition(
            schedule,
            id: "s",
            attributes: SearchAttributeCatalog(namespace: "default"),
            limits: limits
        )
    }

    func record(at now: Instant) throws -> (ScheduleRecord, ScheduleTimes) {
        var request = CreateScheduleRequest()
        request.scheduleID = "s"
        request.requestID = "create"
        let definition = try definition()
        let record = ScheduleRecord(
            request,
            definition: definition,
            searchAttributes: nil,
            namespace: 1,
            instance: RunID(high: 1, low: 1),
            at: now
        )
        return (record, definition.times)
    }
}
