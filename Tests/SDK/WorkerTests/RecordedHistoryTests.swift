import Foundation
import SagamoreAPI
import SagamoreProtobuf
import Testing

@testable import Sagamore

/// Replays histories in the folder `Histories` that our worker wrote on our server. Changes of the library must not
/// break them: users have runs like these.
///
/// `SAGAMORE_RECORD_HISTORIES=1` rewrites them, which is right only after a change of ``Recorded`` itself.
@Suite(.timeLimit(.minutes(2)))
struct RecordedHistoryTests {
    private static let names = ["completed", "compensated", "cancelled"]
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Histories")

    @Test(arguments: names)
    func aRecordedHistoryIsRepeated(_ name: String) throws {
        let events = try Self.read(name)
        let starts = events.indices.filter { index in
            events[index].eventType == .workflowTaskStarted && events[index + 1].eventType == .workflowTaskCompleted
        }
        #expect(starts.count >= 4)
        // As a worker that rebuilds the run at each of its tasks from the whole history …
        for start in starts {
            let run = Self.run(events)
            let commands = try Self.commands(run.handle(Array(events[...start])))
            #expect(commands == Self.commands(after: start, in: events), "at event \(start + 1)")
            run.evict()
        }
        // … and as one that keeps it in memory.
        let run = Self.run(events)
        var next = 0
        for start in starts {
            let commands = try Self.commands(run.handle(Array(events[next...start])))
            #expect(commands == Self.commands(after: start, in: events), "at event \(start + 1)")
            next = start + 1
        }
        #expect(run.isOver)
    }

    private static var records: Bool { ProcessInfo.processInfo.environment["SAGAMORE_RECORD_HISTORIES"] != nil }

    @Test(.enabled("it writes them; SAGAMORE_RECORD_HISTORIES says when") { records })
    func record() async throws {
        try await withWorker { queue in
            Recorded.registered(on: queue)
            shout.implemented { text in text.uppercased() }
            whisper.implemented { text in text.lowercased() }
            Recorded.fail.implemented { _ in throw ApplicationError("sold out", isNonRetryable: true) }
        } _: { client, queue, _ in
            for name in Self.names {
                let handle = try await client.start(Recorded.self, name == "compensated", queue: queue)
                try await eventually("the short wait is over") {
                    try await history(client, handle.id).filter { $0.eventType == .timerFired }.count == 2
                }
                if name == "cancelled" {
                    try await handle.cancel()
                } else {
                    try await handle.signal(Recorded.go, "now")
                }
                _ = try? await handle.result()
                var whole = History()
                whole.events = try await history(client, handle.id)
                try Data(whole.serializedBytes()).write(to: Self.folder.appendingPathComponent(name + ".history"))
            }
        }
    }

    private static func read(_ name: String) throws -> [HistoryEvent] {
        let data = try Data(contentsOf: folder.appendingPathComponent(name + ".history"))
        return try History(serializedBytes: [UInt8](data)).events
    }

    private static func run(_ events: [HistoryEvent]) -> WorkflowRun {
        guard case .workflowExecutionStartedEventAttributes(let started) = events[0].attributes else {
            fatalError("a history begins with a start")
        }
        let info = WorkflowInfo(
            namespace: "default",
            workflowID: started.workflowID,
            runID: started.originalExecutionRunID,
            type: "Recorded",
            taskQueue: started.taskQueue?.name ?? "",
            attempt: 1
        )
        return WorkflowRun(info, TypedRunCode<Recorded>(HandlerTable(Recorded.handlers)))
    }

    /// The commands of the code as text: the kind, and the bytes of input or result.
    private static func commands(_ outcome: WorkflowRun.Outcome) throws -> [String] {
        switch outcome {
        case .failed(let failure): throw failure.error
        case .commands(let commands): return commands.map(text)
        }
    }

    private static func text(_ command: Command) -> String {
        switch command.attributes {
        case .scheduleActivityTaskCommandAttributes(let activity):
            text("activity", activity.activityID, activity.activityType?.name, activity.input)
        case .startTimerCommandAttributes(let timer): "timer \(timer.timerID)"
        case .cancelTimerCommandAttributes(let timer): "cancel timer \(timer.timerID)"
        case .completeWorkflowExecutionCommandAttributes(let done): text("complete", "", "", done.result)
        case .cancelWorkflowExecutionCommandAttributes: "cancel"
        default: "\(command.commandType)"
        }
    }

    /// The commands in the history after a task.
    private static func commands(after start: Int, in events: [HistoryEvent]) -> [String] {
        events[(start + 1)...].compactMap { event -> String? in
            let task = Int64(start + 2)
            return switch event.attributes {
            case .activityTaskScheduledEventAttributes(let activity)
            where activity.workflowTaskCompletedEventID == task:
                text("activity", activity.activityID, activity.activityType?.name, activity.input)
            case .timerStartedEventAttributes(let timer) where timer.workflowTaskCompletedEventID == task:
                "timer \(timer.timerID)"
            case .timerCanceledEventAttributes(let timer) where timer.workflowTaskCompletedEventID == task:
                "cancel timer \(timer.timerID)"
            case .workflowExecutionCompletedEventAttributes(let done)
            where done.workflowTaskCompletedEventID == task:
                text("complete", "", "", done.result)
            case .workflowExecutionCanceledEventAttributes(let cancelled)
            where cancelled.workflowTaskCompletedEventID == task:
                "cancel"
            default: nil
            }
        }
    }

    private static func text(
        _ kind: String,
        _ id: String,
        _ name: String?,
        _ payloads: RawMessage<Payloads>?
    ) -> String {
        let value = (try? PayloadCoding.decoded(payloads).payloads.first?.data) ?? []
        return "\(kind) \(id) \(name ?? "") \(String(decoding: value, as: UTF8.self))"
    }
}

/// A workflow that uses everything whose order matters. Recorded histories depend on it: don't change it.
struct Recorded: Workflow {
    struct State: WorkflowState { var word: String? }
    static let type = WorkflowKind<Bool, [String]>("Recorded", taskQueue: "any")
    static let go = Signal<String>("go")
    static let fail = Activity<String, String>("fail", .startToCloseTimeout(.seconds(5)))
    static let handlers: [Handler<State>] = [.on(go) { state, word in state.word = word }]

    func run(_ context: WorkflowContext<State>, _ fails: Bool) async throws -> [String] {
        var generator = context.makeRandomNumberGenerator()
        let number = UInt32.random(in: 0...UInt32.max, using: &generator)
        async let left = context.execute(shout, "left \(number)")
        async let right = context.execute(whisper, "Right")
        var seen = ["\(number)", context.makeUUID().uuidString.lowercased(), try await left, try await right]
        try await context.sleep(for: .milliseconds(20))
        seen.append("\(try await context.condition(within: .milliseconds(30)) { $0.word != nil })")
        do {
            try await context.condition { $0.word != nil }
        } catch {
            let word = try await context.withCancellationShield { try await context.execute(shout, "shielded") }
            throw CanceledError(word)
        }
        seen.append(context.state.word ?? "")
        seen += try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<3 { group.addTask { try await context.execute(whisper, "GROUP \(number)") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        do {
            seen += try await Saga.run(context) { saga in
                async let first = saga.step(shout, "first", undo: whisper)
                async let second = saga.step(fails ? Self.fail : shout, "second", undo: whisper)
                return try await [first, second]
            }
        } catch let error as SagaCompensatedError {
            seen += error.compensations.map { "\($0.step) \($0.status.rawValue)" }
        }
        seen.append("\(Int64(context.now.timeIntervalSince1970 * 1_000))")
        return seen
    }
}
