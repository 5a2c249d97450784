public import SagamoreAPI
public import SagamoreEngine
public import SagamoreProtobuf

/// What is asked of a schedule.
public enum ScheduleCall: Sendable {
    /// Create it, unless this very request has done so before. With search attributes that have their types.
    case create(CreateScheduleRequest, ScheduleDefinition, RawMessage<SearchAttributes>?, instance: RunID)
    /// Replace its definition, and its search attributes unless they are nil.
    case update(UpdateScheduleRequest, ScheduleDefinition, RawMessage<SearchAttributes>?)
    /// Trigger, fill in, pause or unpause, unless this very request has done so before.
    case patch(SchedulePatch, requestID: String)
    /// Delete it. What it has started goes on.
    case delete
    /// Tell what it is, has done and is about to do.
    case describe
    /// Tell the times between two instants.
    case matchingTimes(from: Instant, to: Instant)
    /// Take note of the end of a run.
    case ended(ScheduledRunEnd)
}

/// The answer to a call.
public enum ScheduleAnswer: Sendable {
    /// It is done.
    case done
    /// It was created, and has this conflict token.
    case created(token: [UInt8])
    /// What it is, has done and is about to do.
    case description(DescribeScheduleResponse)
    /// The times that were asked for.
    case times([Instant])
}

/// A schedule as it is stored.
public struct StoredSchedule: Sendable {
    /// What it is.
    public let record: ScheduleRecord
    /// How often it was written.
    public let revision: Int64

    public init(record: ScheduleRecord, revision: Int64) {
        self.record = record
        self.revision = revision
    }
}

/// A change of the stored schedules.
public struct ScheduleWrite: Sendable {
    /// Whose.
    public let name: ScheduleName
    /// What it is then; nil if it was deleted.
    public let record: ScheduleRecord?
    /// The instance that the change is about.
    public let instance: RunID
    /// The revision that is stored; 0 if none is.
    public let basis: Int64
    /// When it has to be loaded again if the process ends; nil: when somebody asks for it.
    public let alarm: Instant?
    /// Whether more than the progress and the state of the definition has changed.
    public let changesDefinition: Bool
    /// Whether what it can be found by has changed.
    public let changesAttributes: Bool

    /// The revision that the change makes.
    public var revision: Int64 { basis + 1 }
}

/// What the book wants from the outside.
public enum ScheduleEffect: Sendable {
    /// Answer a call.
    case answer(call: UInt64, Result<ScheduleAnswer, RequestError>)
    /// Carry out an action, and tell the book what came of it. With the schedule as it is.
    case perform(ScheduleDemand, ScheduleRecord)
}

/// The next thing to do for the one who has the database.
public enum ScheduleStoreJob: Sendable {
    /// Write all of these, or none if the database fails. Each that finds another revision is left out.
    case write([ScheduleWrite])
    /// Load those of these that exist.
    case load([ScheduleName])
    /// Load those that are due.
    case loadDue(ScheduleDueLoad)
}

/// A load of those whose alarms are not behind an instant, the earliest first, those of one instant by their instances;
/// and of the earliest alarm behind the instant.
public struct ScheduleDueLoad: Sendable {
    /// Where the last load has ended; nil: at the beginning.
    public let after: (alarm: Instant, instance: RunID)?
    /// The last alarm.
    public let until: Instant
    /// The most schedules.
    public let limit: Int
}

/// What a load has found.
public struct DueSchedules: Sendable {
    /// Those whose alarms have come.
    public let schedules: [StoredSchedule]
    /// The earliest alarm behind the instant that was asked for.
    public let next: Instant?
    /// Where the next load begins, if there were as many as the limit.
    public var last: (alarm: Instant, instance: RunID)?

    public init(schedules: [StoredSchedule], next: Instant?) {
        self.schedules = schedules
        self.next = next
    }
}
