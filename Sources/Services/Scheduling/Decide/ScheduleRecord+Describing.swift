public import SagamoreAPI
public import SagamoreEngine
internal import SagamoreProtobuf

/// What clients see.
extension ScheduleRecord {
    /// How many future times a description, and an entry of a list, show.
    private static let describedTimes = 10
    private static let listedTimes = 5
    private static let listedActions = 5
    /// How much of a spec an entry of a list shows.
    private static let listedSpecs = 10

    /// As DescribeSchedule shows it.
    ///
    /// - Parameter problem: why its times cannot be told; empty if they can.
    public func description(_ times: ScheduleTimes, problem: String = "", at now: Instant) -> DescribeScheduleResponse {
        var info = progress.info
        info.invalidScheduleError = problem
        info.bufferSize = Int64(progress.buffer.count)
        info.runningWorkflows = progress.running.map(\.execution)
        info.futureActionTimes = futureTimes(after: now, count: Self.describedTimes, times).map(\.timestamp)
        var response = DescribeScheduleResponse()
        response.schedule = definition
        response.info = info
        response.memo = memo
        response.searchAttributes = searchAttributes
        response.conflictToken = conflictToken
        return response
    }

    /// As ListSchedules shows it.
    public func listEntry(_ times: ScheduleTimes?, at now: Instant) -> ScheduleListEntry {
        var spec = definition.spec ?? ScheduleSpec()
        spec.structuredCalendar = Array(spec.structuredCalendar.prefix(Self.listedSpecs))
        spec.interval = Array(spec.interval.prefix(Self.listedSpecs))
        spec.excludeStructuredCalendar = Array(spec.excludeStructuredCalendar.prefix(Self.listedSpecs))
        spec.timezoneData = []
        var info = ScheduleListInfo()
        info.spec = spec
        info.workflowType = workflow?.workflowType
        info.notes = definition.state?.notes ?? ""
        info.paused = isPaused
        info.recentActions = progress.info.recentActions.suffix(Self.listedActions)
        if let times {
            info.futureActionTimes = futureTimes(after: now, count: Self.listedTimes, times).map(\.timestamp)
        }
        var entry = ScheduleListEntry()
        entry.scheduleID = id
        entry.memo = memo ?? RawMessage()
        entry.searchAttributes = searchAttributes
        entry.info = info
        return entry
    }

    /// The times that its definition names.
    ///
    /// - Throws: `invalidArgument` if they cannot be told, as for a time zone that is not known any more.
    public func times(_ zones: TimeZones) throws(RequestError) -> ScheduleTimes {
        do throws(SpecError) {
            return try ScheduleTimes(definition.spec ?? ScheduleSpec(), seed: id, zones)
        } catch {
            throw error.asRequestError
        }
    }
}
