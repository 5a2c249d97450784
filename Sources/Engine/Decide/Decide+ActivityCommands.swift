internal import SagamoreAPI
internal import SagamoreProtobuf

extension Execution {
    func scheduleActivity(
        _ attributes: ScheduleActivityTaskCommandAttributes,
        _ metadata: RawMessage<UserMetadata>?,
        _ context: inout CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        if let message = problem(withActivity: attributes, context.limits) {
            return CommandRefusal(.badScheduleActivityAttributes, message)
        }
        if let input = attributes.input, input.bytes.count > context.limits.payloadBytes {
            return tooLarge("ScheduleActivityTaskCommandAttributes.Input")
        }
        let activityID = attributes.activityID
        if draft.addedActivityIDs.contains(ExactText(activityID)) || pendingActivity(activityID, draft) != nil {
            return CommandRefusal(
                .scheduleActivityDuplicateID,
                invalidState("add-activitytask-scheduled-event", "ActivityID: \(activityID)")
            )
        }
        let pending = durable.activities.count + draft.addedActivities.count
        guard pending < context.limits.pendingActivities else {
            return CommandRefusal(
                .pendingActivitiesLimitExceeded,
                "the number of pending activities, \(pending), has reached the per-workflow limit of "
                    + "\(context.limits.pendingActivities)"
            )
        }
        if undoesStep(attributes.header) { draft.decision.undoes = true }
        draft.decision.step = attributes.activityType?.name
        let event = scheduledAttributes(attributes, context)
        let written = draft.event(
            .activityTaskScheduled,
            .activityTaskScheduledEventAttributes(event),
            userMetadata: metadata
        )
        let id = written.id
        draft.addedActivities[id] = PendingActivity(event: written.event, attributes: event)
        draft.addedActivityIDs.insert(ExactText(activityID))
        let queue = event.taskQueue?.name ?? ""
        if attributes.requestEagerExecution, queue.hasSameBytes(as: durable.taskQueue) {
            context.eagerActivities.append(id)
        } else {
            let route = route(of: attributes.priority, queue: queue)
            draft.decision.offers.append(.activity(route: route, scheduledEventID: id, attempt: 1))
        }
        return nil
    }

    private func pendingActivity(_ activityID: String, _ draft: Draft) -> Int64? {
        guard let id = durable.activityIDs[ExactText(activityID)], !draft.removedActivities.contains(id) else {
            return nil
        }
        return id
    }

    /// The event of a command. Unset timeouts are derived from the set ones and capped by the run's timeout; the retry
    /// policy is completed with defaults.
    private func scheduledAttributes(
        _ command: ScheduleActivityTaskCommandAttributes,
        _ context: CommandContext
    ) -> ActivityTaskScheduledEventAttributes {
        let runTimeout = durable.runTimeout
        let close = Interval(command.scheduleToCloseTimeout)
        let start = Interval(command.scheduleToStartTimeout)
        let run = Interval(command.startToCloseTimeout)
        let whole = close.isSet ? close.capped(by: runTimeout) : runTimeout
        var event = ActivityTaskScheduledEventAttributes()
        event.activityID = command.activityID
        event.activityType = command.activityType
        var queue = TaskQueue()
        queue.name = command.taskQueue?.name ?? ""
        queue.kind = .normal
        event.taskQueue = queue
        event.header = command.header
        event.input = command.input
        event.scheduleToCloseTimeout = whole.duration
        event.scheduleToStartTimeout = start.capped(by: whole).duration
        let startToClose = run.capped(by: whole)
        event.startToCloseTimeout = startToClose.duration
        let heartbeat = Interval(command.heartbeatTimeout)
        event.heartbeatTimeout = (heartbeat.isSet ? heartbeat.capped(by: startToClose) : heartbeat).duration
        event.workflowTaskCompletedEventID = context.completedEventID
        event.retryPolicy = RetryRules.withDefaults(command.retryPolicy)
        event.useWorkflowBuildID = command.useWorkflowBuildID
        event.priority = command.priority
        return event
    }

    func requestCancelActivity(
        _ scheduledEventID: Int64,
        _ context: inout CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        let activity = pendingActivity(scheduledEventID, draft)
        guard mayCancel(activity, scheduledEventID, draft) else {
            return CommandRefusal(
                .badRequestCancelActivityAttributes,
                invalidState("add-activitytask-cancel-requested-event", "ScheduledEventID: \(scheduledEventID)")
            )
        }
        var attributes = ActivityTaskCancelRequestedEventAttributes()
        attributes.scheduledEventID = scheduledEventID
        attributes.workflowTaskCompletedEventID = context.completedEventID
        let requested = draft.event(
            .activityTaskCancelRequested,
            .activityTaskCancelRequestedEventAttributes(attributes)
        )
        draft.cancelledActivities.insert(scheduledEventID)
        guard let activity, !activity.isStarted else { return nil }
        var canceled = ActivityTaskCanceledEventAttributes()
        canceled.details = notStartedDetails
        canceled.latestCancelRequestedEventID = requested.id
        canceled.scheduledEventID = scheduledEventID
        canceled.identity = context.completion.request.identity
        context.cancelledActivities.append(canceled)
        drop(activity, &context, in: &draft)
        context.needsWorkflowTask = true
        return nil
    }

    private func pendingActivity(_ scheduledEventID: Int64, _ draft: Draft) -> PendingActivity? {
        guard !draft.removedActivities.contains(scheduledEventID) else { return nil }
        return draft.addedActivities[scheduledEventID] ?? durable.activities[scheduledEventID]
    }

    /// Whether the activity has ended unseen by workflow code, in this task or while it ran. Canceling it is allowed
    /// and has no effect.
    private func mayCancel(_ activity: PendingActivity?, _ scheduledEventID: Int64, _ draft: Draft) -> Bool {
        if let activity {
            return !activity.isCancelRequested && !draft.cancelledActivities.contains(scheduledEventID)
        }
        return draft.removedActivities.contains(scheduledEventID)
            || durable.bufferedEvents.contains { $0.endedActivity == scheduledEventID }
    }

    /// Removes an activity that ends before its start from the draft.
    private func drop(_ activity: PendingActivity, _ context: inout CommandContext, in draft: inout Draft) {
        let id = activity.scheduledEventID
        draft.removedActivities.insert(id)
        guard draft.addedActivities.removeValue(forKey: id) != nil else { return }
        draft.addedActivityIDs.remove(ExactText(activity.activityID))
        context.eagerActivities.removeAll { $0 == id }
        draft.decision.offers.removeAll { offer in
            if case .activity(_, id, _) = offer { true } else { false }
        }
    }
}

/// The details of a cancelled activity that never started.
private let notStartedDetails = RawMessage<Payloads>(jsonText: "ACTIVITY_ID_NOT_STARTED")

private func problem(with queue: TaskQueue?, _ limits: Limits) -> String? {
    do throws(RequestError) {
        try checkTaskQueue(queue, limits)
        return nil
    } catch {
        return error.message
    }
}

/// What is wrong with an activity to schedule; nil when it is valid.
func problem(withActivity attributes: ScheduleActivityTaskCommandAttributes, _ limits: Limits) -> String? {
    let type = attributes.activityType?.name ?? ""
    if let wrong = problem(with: attributes.taskQueue, limits) { return wrong }
    if attributes.activityID.isEmpty { return "activityId is not set" }
    if type.isEmpty { return "activityType is not set" }
    for (text, field) in [
        (attributes.activityID, "activityId"), (type, "activityType"),
    ] {
        if let wrong = problem(withIdentifier: text, field, limits) { return wrong }
    }
    for (duration, field) in [
        (attributes.scheduleToCloseTimeout, "ScheduleToCloseTimeout"),
        (attributes.scheduleToStartTimeout, "ScheduleToStartTimeout"),
        (attributes.startToCloseTimeout, "StartToCloseTimeout"),
        (attributes.heartbeatTimeout, "HeartbeatTimeout"),
    ] {
        if let duration, duration.seconds < 0 || duration.nanos < 0 { return "invalid \(field): negative duration" }
    }
    if !Interval(attributes.scheduleToCloseTimeout).isSet, !Interval(attributes.startToCloseTimeout).isSet {
        return "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. "
            + "ActivityId=\(attributes.activityID) ActivityType=\(type)"
    }
    do throws(RequestError) {
        try checkPriority(attributes.priority)
    } catch {
        return "invalid priorities: \(error.message)"
    }
    return attributes.retryPolicy.flatMap(RetryRules.problem)
}
