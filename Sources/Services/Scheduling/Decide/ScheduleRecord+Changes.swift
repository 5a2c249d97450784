public import SagamoreAPI
public import SagamoreEngine
public import SagamoreProtobuf

/// What clients ask for.
extension ScheduleRecord {
    /// The longest note of a pause, in characters.
    static let noteLength = 1_000
    /// How many backfills may wait.
    static let mostBackfills = 1_000

    /// A new schedule. Its initial patch is left to `patch`.
    public init(
        _ request: CreateScheduleRequest,
        definition: ScheduleDefinition,
        searchAttributes: RawMessage<SearchAttributes>?,
        namespace: Int32,
        instance: RunID,
        at now: Instant
    ) {
        self.init(
            namespace: namespace,
            id: request.scheduleID,
            instance: instance,
            definition: definition.schedule,
            memo: request.memo,
            searchAttributes: searchAttributes,
            progress: ScheduleProgress(createdAt: now)
        )
        _ = progress.isRepeated(request.requestID)
    }

    /// Whether a create is the one that created the schedule, sent again.
    public func isCreated(by request: CreateScheduleRequest) -> Bool {
        !request.requestID.isEmpty && progress.requestIDs.contains { $0.utf8.elementsEqual(request.requestID.utf8) }
    }

    /// Replaces the definition. Times that have passed are left alone.
    ///
    /// - Parameter searchAttributes: nil: as they are.
    /// - Throws: `failedPrecondition` if the schedule has changed since the caller read it.
    public mutating func update(
        _ request: UpdateScheduleRequest,
        definition: ScheduleDefinition,
        searchAttributes: RawMessage<SearchAttributes>?,
        at now: Instant
    ) throws(RequestError) -> [ScheduleDemand] {
        let token = request.conflictToken
        guard token.count != 8 || token == conflictToken else {
            throw RequestError(
                .failedPrecondition,
                "mismatched conflict token: the schedule has changed meanwhile; describe it again"
            )
        }
        guard !progress.isRepeated(request.requestID) else { return [] }
        self.definition = definition.schedule
        if let searchAttributes { self.searchAttributes = searchAttributes.bytes.isEmpty ? nil : searchAttributes }
        if let memo = request.memo { self.memo = memo.bytes.isEmpty ? nil : memo }
        progress.version += 1
        progress.info.updateTime = now.timestamp
        skip(to: now, definition.times)
        return takeStarts(at: now)
    }

    /// Triggers, fills in, pauses and unpauses, in this order.
    public mutating func patch(
        _ patch: SchedulePatch,
        requestID: String,
        times: ScheduleTimes,
        at now: Instant
    ) -> [ScheduleDemand] {
        guard !progress.isRepeated(requestID) else { return [] }
        if let trigger = patch.triggerImmediately {
            progress.manualCount += 1
            let at = trigger.scheduledTime.map { Instant($0) } ?? now
            buffer(
                DueStart(
                    id: "t\(progress.manualCount)",
                    nominal: at,
                    scheduled: at,
                    policy: trigger.overlapPolicy,
                    isManual: true
                )
            )
        }
        for request in patch.backfillRequest { add(request) }
        if !patch.pause.isEmpty {
            skip(to: now, times)
            setPaused(true, patch.pause)
        }
        if !patch.unpause.isEmpty {
            skip(to: now, times)
            setPaused(false, patch.unpause)
        }
        return pass(to: now, times)
    }

    private mutating func add(_ request: BackfillRequest) {
        guard let start = request.startTime, let end = request.endTime else { return }
        guard progress.backfills.count < Self.mostBackfills else {
            progress.info.bufferDropped += 1
            return
        }
        progress.manualCount += 1
        progress.backfills.append(
            Backfill(
                number: progress.manualCount,
                // The start is included.
                doneTo: Instant(start) + .milliseconds(-1),
                end: Instant(end),
                policy: request.overlapPolicy
            )
        )
    }

    mutating func setPaused(_ isPaused: Bool, _ notes: String) {
        var state = definition.state ?? ScheduleState()
        state.paused = isPaused
        state.notes = notes
        definition.state = state
        progress.version += 1
    }
}
