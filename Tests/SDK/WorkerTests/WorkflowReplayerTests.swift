import Foundation
import Sagamore
import SagamoreJSONText
import SagamoreProgramTestSupport
import SagamoreTesting
import Testing

/// Histories that tools have written are replayed with the present code.
@Suite(.timeLimit(.minutes(2)))
struct WorkflowReplayerTests {
    /// A workflow with most of what a history may hold; `change` is what a careless developer changed.
    private struct Trip: Workflow {
        enum Change { case nothing, otherActivity, oneMore, oneLess, otherOrder, noEnd }
        struct State: WorkflowState { var isPaid = false; var names: [String] = [] }
        static let type = WorkflowKind<[String], String>("ReplayedTrip", taskQueue: "any")
        static let pay = Signal<Nothing>("pay")
        static let rename = Update<String, Int>("rename")
        static let handlers: [Handler<State>] = [
            .on(pay) { state, _ in state.isPaid = true },
            .on(rename) { state, name in
                state.names.append(name)
                return state.names.count
            },
        ]
        @TaskLocal static var change = Change.nothing

        func run(_ context: WorkflowContext<State>, _ names: [String]) async throws -> String {
            let change = Self.change
            if change == .otherOrder { try await context.sleep(for: .milliseconds(10)) }
            let first = try await context.execute(change == .otherActivity ? whisper : shout, names[0])
            if change != .otherOrder { try await context.sleep(for: .milliseconds(10)) }
            try await context.condition { $0.isPaid && !$0.names.isEmpty }
            async let left = context.execute(shout, "left")
            async let right = context.execute(whisper, "RIGHT")
            var words = [first, try await left, try await right, context.makeUUID().uuidString]
            if change == .oneMore { words.append(try await context.execute(shout, "more")) }
            if change != .oneLess { words.append(try await context.execute(whisper, words.joined())) }
            if change == .noEnd { try await context.condition { _ in false } }
            return words.joined()
        }
    }

    private static let replayer = WorkflowReplayer { Trip.registered }

    /// Runs the workflow on the server and hands over what `body` makes of it.
    private func recorded(_ body: @escaping @Sendable (_ id: String, _ address: String) throws -> String) async throws
        -> String
    {
        let text = SendableBox("")
        try await withWorker { queue in
            Trip.registered(on: queue)
            shout.implemented { text in text.uppercased() }
            whisper.implemented { text in text.lowercased() }
        } _: { client, queue, _ in
            let handle = try await client.start(Trip.self, ["Ada", "Grace"], queue: queue)
            try await handle.signal(Trip.pay, Nothing())
            #expect(try await handle.update(Trip.rename, "Barbara") == 1)
            _ = try await handle.result()
            let id = handle.id
            text.value = try await blocking { try body(id, try DevProgram.shared().address()) }
        }
        return text.value
    }

    private final class SendableBox: @unchecked Sendable {
        // Unchecked: written before it is read.
        var value: String
        init(_ value: String) { self.value = value }
    }

    private static func temporal(_ arguments: [String]) throws -> String {
        let python = URL(fileURLWithPath: try #require(PythonWorker.python))
        let process = Process()
        process.executableURL = python.deletingLastPathComponent().appendingPathComponent("temporal")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }

    private func replay(_ history: WorkflowHistory, _ change: Trip.Change) -> NondeterminismError? {
        do {
            try Trip.$change.withValue(change) { try Self.replayer.replay(history) }
            return nil
        } catch {
            #expect(error is NondeterminismError, "\(error)")
            return error as? NondeterminismError
        }
    }

    @Test func whatOurCommandLineShowsIsReplayed() async throws {
        let json = try await recorded { id, _ in
            try DevProgram.shared().run("workflow", "show", "-w", id, "-o", "json").output
        }
        let history = try WorkflowHistory(json: json, workflowID: "trip-1")
        #expect(history.count > 30 && history.workflowID == "trip-1")
        #expect(replay(history, .nothing) == nil)
        let other = try #require(replay(history, .otherActivity))
        // The signal may have come before the first task.
        #expect(other.code == .otherCommand && (5...8).contains(other.eventID))
        #expect(other.expected?.contains("shout") == true && other.found?.contains("whisper") == true)
        #expect(try #require(replay(history, .otherOrder)).code == .otherCommand)
        #expect(try #require(replay(history, .oneMore)).eventID > 20)
        #expect(try #require(replay(history, .oneLess)).eventID > 20)
        let endless = try #require(replay(history, .noEnd))
        #expect(endless.code == .missingCommand && endless.eventID == Int64(history.count))
        // Also the beginning of a history: the run goes on.
        let lines = try #require(JSONValue.parse(json)["events"]?.array)
        for count in 1..<lines.count {
            let part = JSONValue.object(["events": .array(Array(lines.prefix(count)))])
            // Within the events of one task it is no history that a server would show.
            let next = lines[count]["eventType"]?.string ?? ""
            guard next.hasPrefix("EVENT_TYPE_WORKFLOW_TASK") else { continue }
            #expect(replay(try WorkflowHistory(json: part.text()), .nothing) == nil, "\(count) events")
        }
    }

    @Test func allHistoriesOfAFolderAreReplayed() async throws {
        let json = try await recorded { id, _ in
            try DevProgram.shared().run("workflow", "show", "-w", id, "-o", "json").output
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("histories-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("old"),
            withIntermediateDirectories: true
        )
        #expect(throws: ReplayError.self) { try Self.replayer.replay(folder: folder.path) }
        #expect(throws: ReplayError.self) { try Self.replayer.replay(folder: folder.path + "/none") }
        let texts = ["b.json": json, "a.json": "{}", "old/c.json": json, "notes.txt": "none"]
        for (name, text) in texts {
            try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
        }
        let failures = try Self.replayer.replay(folder: folder.path)
        #expect(failures.map(\.file) == ["a.json"] && failures.first?.error is WorkflowHistory.FormatError)
        var shown: [String] = []
        let all = try Trip.$change.withValue(.otherActivity) {
            try Self.replayer.replay(folder: folder.path) { shown.append($0.description) }
        }
        #expect(all.map(\.file) == ["a.json", "b.json", "old/c.json"] && all.last?.error is NondeterminismError)
        #expect(
            shown == [
                "replayed 1 of 3 histories (33 %), 1 failed", "replayed 2 of 3 histories (66 %), 2 failed",
                "replayed 3 of 3 histories (100 %), 3 failed",
            ]
        )
    }

    @Test(.enabled(PythonWorker.missing) { PythonWorker.python != nil })
    func whatTemporalsCommandLineShowsIsReplayed() async throws {
        let json = try await recorded { id, address in
            try Self.temporal(["workflow", "show", "-w", id, "--address", address, "--output", "json"])
        }
        let history = try WorkflowHistory(json: json)
        #expect(replay(history, .nothing) == nil)
        #expect(replay(history, .otherActivity)?.code == .otherCommand)
        // As older tools and the web page have written it: a list, and names of enumerations in camel case.
        let events = try #require(JSONValue.parse(json)["events"]?.array)
        let old = events.map { event -> JSONValue in
            var object = event.object ?? JSONObject()
            let words = (object["eventType"]?.string ?? "").dropFirst("EVENT_TYPE_".count).split(separator: "_")
            object["eventType"] = .string(words.map { $0.capitalized }.joined())
            return .object(object)
        }
        #expect(replay(try WorkflowHistory(json: JSONValue.array(old).text()), .oneLess) != nil)
        #expect(replay(try WorkflowHistory(json: JSONValue.array(old).text()), .nothing) == nil)
    }

    @Test func aBadHistoryIsRefusedWithItsPlace() throws {
        let cases = [
            ("", "unexpected end"), ("{}", "there are no events"), (#"{"events":[]}"#, "there are no events"),
            (#"{"events":[{"eventId":"2"}]}"#, "events[0].eventId is 2 instead of 1"),
            (#"{"events":[{"eventId":"one"}]}"#, "events[0].eventId is no integer"),
            (#"{"events":[{"eventId":"1","eventType":"EVENT_TYPE_NOVEL"}]}"#, "events[0].eventType has the value"),
            (#"{"events":[{"eventId":"1","eventTime":"noon"}]}"#, "events[0].eventTime is no time"),
            (#"{"events":[7]}"#, "events[0] is no object"),
        ]
        for (json, problem) in cases {
            let error = #expect(throws: WorkflowHistory.FormatError.self) { try WorkflowHistory(json: json) }
            #expect(error?.description.lowercased().contains(problem.lowercased()) == true, "\(json): \(error as Any)")
        }
        #expect(throws: WorkflowHistory.FormatError.self) { try WorkflowHistory(contentsOfFile: "/not/there.json") }
        let started = #""workflowExecutionStartedEventAttributes":{"workflowType":{"name":"X"}}"#
        let other = #"{"events":[{"eventId":"1",\#(started)}]}"#
        let unknown = #expect(throws: ReplayError.self) { try Self.replayer.replay(WorkflowHistory(json: other)) }
        #expect(unknown?.code == .unknownWorkflow && unknown?.message.contains("'ReplayedTrip'") == true)
        let late = try WorkflowHistory(json: #"{"events":[{"eventId":"1","timerFiredEventAttributes":{}}]}"#)
        #expect(throws: ReplayError.self) { try Self.replayer.replay(late) }
    }
}
