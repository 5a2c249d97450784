import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// A run's durable state in encoded form.
@Suite struct SnapshotTests {
    /// Cuts random sequences after every entry. The decoded state and the later entries must give the same state as all
    /// entries. `SAGAMORE_ENGINE_SEED` repeats the sequence that a failure names.
    @Test func stateFromASnapshotAndLaterEntriesEqualsTheWhole() throws {
        let environment = ProcessInfo.processInfo.environment
        let repeated = environment["SAGAMORE_ENGINE_SEED"].flatMap(UInt64.init)
        let first = repeated ?? UInt64.random(in: 0 ... .max)
        print("snapshot test: sequences from seed \(first)")
        var seen = SeenValues()
        seen.note(SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID).durable)
        for index in 0..<(repeated == nil ? 150 : 1) {
            let world = World(seed: first &+ UInt64(index))
            try world.run(steps: 30)
            var whole = SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID)
            var restored: [SagamoreEngine.Execution] = []
            for entry in world.entries {
                whole.apply(entry)
                for cut in restored.indices { restored[cut].apply(entry) }
                let state = try decoded(whole.durable)
                #expect(state == whole.durable, "seed \(world.seed)")
                // The order of a dictionary, which may differ between the two, is in no byte.
                let areSame = DurableStateCoding.encode(state) == DurableStateCoding.encode(whole.durable)
                #expect(areSame, "seed \(world.seed)")
                restored.append(SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID, state: state))
                seen.note(whole.durable)
            }
            for (cut, execution) in restored.enumerated() where execution.durable != whole.durable {
                Issue.record("seed \(world.seed): differs when cut behind entry \(cut)")
            }
        }
        guard repeated == nil else { return }
        try noteRareValues(&seen)
        // A new property needs encoding, and only a property that varies here shows that it has it.
        #expect(seen.constant.isEmpty, "never seen with two values: \(seen.constant)")
    }

    /// Adds values that the random sequences have rarely or never.
    private func noteRareValues(_ seen: inout SeenValues) throws {
        let stage = Stage()
        try stage.start(origin: Samples.origin("2")) { request in
            request.priority = Self.priority
            request.userMetadata = RawMessage(UserMetadata.with { $0.summary = Payload() })
            request.workflowTaskTimeout = Interval.seconds(7).duration
            request.workflowExecutionTimeout = Interval.seconds(700).duration
            request.workflowRunTimeout = Interval.seconds(600).duration
            request.workflowStartDelay = Interval.seconds(2).duration
            request.memo = Self.memo
            request.searchAttributes = Self.searchAttributes
        }
        try check(stage, &seen)
        stage.passAndDecide(.seconds(3))
        try noteAnotherChild(&seen)
        let scheduled = Stage()
        try scheduled.start(lineage: Samples.scheduledLineage)
        try check(scheduled, &seen)
        try noteAResetActivity(&seen)
        let schedule = Samples.schedule("rare") { attributes in
            attributes.priority = Self.priority
            attributes.header = Self.header
            attributes.input = Samples.payloads("input")
            attributes.scheduleToCloseTimeout = Interval.seconds(90).duration
            attributes.scheduleToStartTimeout = Interval.seconds(80).duration
            attributes.startToCloseTimeout = Interval.seconds(70).duration
            attributes.heartbeatTimeout = Interval.seconds(60).duration
            attributes.retryPolicy = .with { $0.nonRetryableErrorTypes = ["fatal"] }
            attributes.taskQueue = Samples.queue("other")
            attributes.activityType = Self.activityType
        }
        try stage.run(schedule, Samples.schedule("usual"), sticky: "sticky")
        try check(stage, &seen)
        let id = try #require(stage.execution.durable.activities.keys.min())
        let token = stage.activityToken(id)
        stage.apply(
            try stage.execution.decide(
                startActivity: id,
                attempt: token.attempt,
                identity: "worker",
                requestID: "poll",
                buildID: "build 7",
                nonce: 77,
                at: stage.now
            )
        )
        try check(stage, &seen)
        try stage.heartbeat(id, "half")
        try stage.failActivity(id)
        try check(stage, &seen)
        // The workflow code completes the run while a signal is buffered.
        try stage.signal("go", requestID: "request")
        try stage.pollWorkflowTask()
        try stage.signal("stop")
        try check(stage, &seen)
        try stage.complete(Samples.complete())
        #expect(stage.execution.durable.closeWasRefused)
        try check(stage, &seen)
        try stage.terminate()
        try check(stage, &seen)
    }

    /// An activity that starts over after its running attempt, without the details of its heartbeats.
    private func noteAResetActivity(_ seen: inout SeenValues) throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a"))
        try stage.pollActivity(5)
        try check(stage, &seen)
        let reset = ActivityOperation.reset(
            resetsHeartbeat: true,
            keepsPaused: false,
            restoresOptions: false,
            jitter: .zero
        )
        let decision = try stage.execution.decide(
            reset,
            on: .id("a"),
            identity: "operator",
            random: 7,
            at: stage.now,
            limits: stage.limits
        )
        stage.apply(decision)
        try check(stage, &seen)
    }

    /// A child in another namespace, of another type than the others.
    private func noteAnotherChild(_ seen: inout SeenValues) throws {
        let stage = Stage()
        try stage.start()
        let command = Samples.startChild("rare") { $0.workflowType?.name = "Rare" }
        try stage.pollWorkflowTask()
        try stage.complete(command)
        try check(stage, &seen)
        var state = stage.execution.durable
        let child = try #require(state.children[5])
        state.children[5] = PendingChild(
            initiatedEventID: child.initiatedEventID,
            workflowID: child.workflowID,
            type: child.type,
            namespace: "other",
            namespaceID: "other's id",
            parentClosePolicy: child.parentClosePolicy
        )
        seen.note(state)
        #expect(try decoded(state) == state)
        // The child may have been started.
        try stage.terminate()
        #expect(stage.execution.durable.childrenToEnd == [5])
        try check(stage, &seen)
        let reset = try ResetRun(of: stage.entries, at: 4, Samples.reset(at: 4), now: stage.now)
        seen.note(reset.execution.durable)
        #expect(try decoded(reset.execution.durable) == reset.execution.durable)
    }

    private static let memo: RawMessage<Memo> = {
        var memo = Memo()
        memo.fields["note"] = Payload()
        return RawMessage(memo)
    }()

    private static let searchAttributes: RawMessage<SearchAttributes> = {
        var attributes = SearchAttributes()
        attributes.indexedFields["CustomKeywordField"] = Payload()
        return RawMessage(attributes)
    }()

    private static let header: RawMessage<Header> = {
        var header = Header()
        header.fields["trace"] = Payload()
        return RawMessage(header)
    }()

    private static let activityType: ActivityType = {
        var type = ActivityType()
        type.name = "rare"
        return type
    }()

    private static let priority: Priority = {
        var priority = Priority()
        priority.priorityKey = 3
        priority.fairnessKey = "key"
        return priority
    }()

    private func check(_ stage: Stage, _ seen: inout SeenValues) throws {
        seen.note(stage.execution.durable)
        #expect(try decoded(stage.execution.durable) == stage.execution.durable)
    }

    private func decoded(_ state: DurableState) throws -> DurableState {
        try DurableStateCoding.decode(DurableStateCoding.encode(state), format: DurableStateCoding.format)
    }

    @Test func snapshotOfANewerProgramIsAnError() throws {
        let stage = Stage()
        try stage.start()
        let bytes = DurableStateCoding.encode(stage.execution.durable)
        let error = #expect(throws: UnknownSnapshotFormat.self) {
            try DurableStateCoding.decode(bytes, format: DurableStateCoding.format + 1)
        }
        #expect(try #require(error).format == DurableStateCoding.format + 1)
        // Field 38, which no version has, and field 99, as a number and as bytes; then the same inside an activity, a
        // timer, a workflow task and a child.
        for field in [
            [0xB0, 0x02, 0x01], [0xB2, 0x02, 0x01, 0x00], [0x98, 0x06, 0x01], [0x9A, 0x06, 0x01, 0x00],
        ] as [[UInt8]] {
            #expect(throws: ProtobufError.self) { try DurableStateCoding.decode(field, format: 1) }
            for number in [28, 29, 20, 50, 51, 53] {
                var writer = ProtobufWriter()
                writer.bytes(number, field)
                let nested = writer.bytes()
                #expect(throws: ProtobufError.self) { try DurableStateCoding.decode(nested, format: 1) }
            }
        }
    }
}

/// The properties of a state that had more than one value.
private struct SeenValues {
    private var first: [String: String] = [:]
    private var varied: Set<String> = []

    var constant: [String] { first.keys.filter { !varied.contains($0) }.sorted() }

    mutating func note(_ state: DurableState) {
        note(properties: state, "DurableState")
        for activity in state.activities.values {
            note(properties: activity, "PendingActivity")
            note(properties: activity.machine, "ActivityMachine")
            note(properties: activity.machine.options, "ActivitySettings")
            if let values = Mirror(reflecting: activity.machine).descendant("intervention", "some", "values") {
                note(properties: values, "ActivityIntervention")
            }
        }
        for timer in state.timers.values { note(properties: timer, "PendingTimer") }
        for child in state.children.values { note(properties: child, "PendingChild") }
        if let task = state.workflowTask { note(properties: task, "WorkflowTask") }
        if let completed = state.completedTask { note(properties: completed, "CompletedWorkflowTask") }
    }

    private mutating func note(properties value: Any, _ type: String) {
        for child in Mirror(reflecting: value).children {
            let name = "\(type).\(child.label ?? "?")"
            if varied.contains(name) { continue }
            let text = String(describing: child.value)
            if let known = first[name] {
                if known != text { varied.insert(name) }
            } else {
                first[name] = text
            }
        }
    }
}
