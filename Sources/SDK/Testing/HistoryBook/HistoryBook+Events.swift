public import Sagamore
internal import SagamoreAPI
internal import SagamoreProtobuf

/// What happens to the workflow: each call adds an event, and the next ``task()`` brings it to the code.
extension HistoryBook {
    /// A signal arrives.
    public func signal<Input>(_ signal: Signal<Input>, _ input: Input) throws {
        try self.signal(signal.name, input)
    }

    /// Somebody asks the workflow to cancel.
    public func requestCancel() {
        append(
            .workflowExecutionCancelRequested,
            .workflowExecutionCancelRequestedEventAttributes(WorkflowExecutionCancelRequestedEventAttributes())
        )
    }

    /// The newest open attempt of an activity completes.
    /// - Throws: ``IllegalEventError`` when none is open.
    public func complete<Input, Output>(_ activity: Activity<Input, Output>, _ output: Output) throws {
        try complete(activity.name, output)
    }

    /// The newest open attempt of an activity fails for good.
    /// - Throws: ``IllegalEventError`` when none is open.
    public func fail<Input, Output>(_ activity: Activity<Input, Output>, _ error: any Error) throws {
        try fail(activity.name, error)
    }

    /// The newest open attempt of an activity ends as cancelled.
    /// - Throws: ``IllegalEventError`` when none is open.
    public func cancelled<Input, Output>(_ activity: Activity<Input, Output>) throws {
        try cancelled(activity.name)
    }

    /// A timer fires, by the number that ``task()`` returned with it: `3` for `timer 3`.
    public func fireTimer(_ id: String) {
        timers.remove(id)
        var fired = TimerFiredEventAttributes()
        fired.timerID = id
        append(.timerFired, .timerFiredEventAttributes(fired))
    }

    /// An update arrives with the next ``task()``, which returns `ID/accept` and `ID/complete`.
    public func update<Input, Output>(_ update: Update<Input, Output>, _ input: Input, id: String) throws {
        try self.update(update.name, input, id: id)
    }

    // MARK: By name

    func signal<Value: Encodable>(_ name: String, _ value: Value) throws {
        var signal = WorkflowExecutionSignaledEventAttributes()
        signal.signalName = name
        signal.input = try PayloadCoding.arguments(value)
        append(.workflowExecutionSignaled, .workflowExecutionSignaledEventAttributes(signal))
    }

    func complete<Value: Encodable>(_ activity: String, _ value: Value) throws {
        var completed = ActivityTaskCompletedEventAttributes()
        completed.scheduledEventID = try take(activity)
        completed.result = try PayloadCoding.list(value)
        append(.activityTaskCompleted, .activityTaskCompletedEventAttributes(completed))
    }

    func fail(_ activity: String, _ error: any Error) throws {
        var failed = ActivityTaskFailedEventAttributes()
        failed.scheduledEventID = try take(activity)
        failed.retryState = .nonRetryableFailure
        failed.failure = RawMessage(FailureCoding.failure(error))
        append(.activityTaskFailed, .activityTaskFailedEventAttributes(failed))
    }

    func cancelled(_ activity: String) throws {
        var cancelled = ActivityTaskCanceledEventAttributes()
        cancelled.scheduledEventID = try take(activity)
        append(.activityTaskCanceled, .activityTaskCanceledEventAttributes(cancelled))
    }

    func update<Value: Encodable>(_ name: String, _ value: Value, id: String) throws {
        var request = Request()
        request.meta = Meta()
        request.meta?.updateID = id
        request.input = SagamoreAPI.Input()
        request.input?.name = name
        request.input?.args = try PayloadCoding.arguments(value)
        var message = ProtocolMessage()
        message.id = "\(id)/request"
        message.protocolInstanceID = id
        message.sequencingID = .eventID(Int64(events.count))
        message.body = ProtobufAny(packing: request)
        updates.append(UpdateInput(message)!)
    }

    func messages<Body: ProtobufMessage>(_ type: Body.Type) throws -> [Body] {
        try lastMessages.compactMap { try $0.body?.unpacked(as: type) }
    }

    private func take(_ activity: String) throws -> Int64 {
        guard let id = scheduled.removeValue(forKey: activity) else {
            throw IllegalEventError(description: "'\(activity)' is not open; open are \(scheduled.keys.sorted())")
        }
        return id
    }
}
