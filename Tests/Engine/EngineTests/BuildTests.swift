import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// What a run notes of the builds that work on it.
@Suite struct BuildTests {
    private static func stage() throws -> Stage {
        let stage = Stage()
        try stage.start()
        return stage
    }

    /// Completes the next workflow task, for which a signal comes.
    @discardableResult
    private static func work(
        _ stage: Stage,
        _ build: String,
        _ checksum: String = "",
        _ commands: Command...
    ) throws -> Decision {
        if stage.execution.workflowTask == nil { try stage.signal("go") }
        try stage.pollWorkflowTask()
        return try stage.complete { request in
            request.commands = commands
            request.workerVersionStamp = .with { $0.buildID = build }
            request.binaryChecksum = checksum
        }
    }

    private static func shown(_ stage: Stage, _ name: String) throws -> String? {
        let fields = try stage.execution.durable.shownAttributes.decoded().indexedFields
        return fields[name].map { String(decoding: $0.data, as: UTF8.self) }
    }

    @Test func eachBuildIsShownOnce() throws {
        let stage = try Self.stage()
        #expect(try Self.shown(stage, "BuildIds") == nil)
        for (build, checksum) in [("b", ""), ("a", "1"), ("b", ""), ("a", "2"), ("", "2")] {
            try Self.work(stage, build, checksum)
        }
        #expect(try Self.shown(stage, "BuildIds") == #"["unversioned","unversioned:b","unversioned:a"]"#)
        #expect(try Self.shown(stage, "BinaryChecksums") == #"["1","2"]"#)
        #expect(stage.execution.durable.latestWorkerVersion == nil)
        try Self.work(stage, "b")
        #expect(stage.execution.durable.latestWorkerVersion?.buildID == "b")
        let points = stage.execution.durable.resetPoints(of: stage.execution.runID).points
        #expect(points.map { "\($0.buildID) \($0.binaryChecksum)" } == ["b ", "a 1", "a 2", " 2"])
    }

    /// What a row of the journal gets: each value once.
    @Test func onlyWhatIsNewIsWritten() throws {
        let stage = try Self.stage()
        var written: [String] = []
        for (build, checksum) in [("", ""), ("a", ""), ("a", "1"), ("b", "1"), ("a", "")] {
            let first = stage.execution.nextEventID
            try Self.work(stage, build, checksum)
            let names = stage.execution.durable.newBuild(since: first)
            written.append("\(names.id ?? "-") \(names.binaryChecksum ?? "-")")
        }
        #expect(written == [" -", "a -", "- 1", "b -", "- -"])
    }

    @Test func theNewestTwentyAreKept() throws {
        let stage = try Self.stage()
        for number in 1...22 { try Self.work(stage, "\(number)") }
        #expect(stage.execution.durable.builds.map(\.id) == (3...22).map(String.init))
        try Self.work(stage, "5")
        #expect(stage.execution.durable.latestWorkerVersion?.buildID == "5")
    }

    /// A reset could not repeat what another workflow is still to answer.
    @Test func aBuildThatBeganWithAChildPendingIsNoPointForAReset() throws {
        let stage = try Self.stage()
        try Self.work(stage, "a", "", Samples.startChild("child"))
        try Self.work(stage, "b")
        let points = stage.execution.durable.resetPoints(of: stage.execution.runID).points
        #expect(points.map(\.resettable) == [true, false])
    }

    @Test func theNextRunKnowsWhereBuildsBegan() throws {
        let stage = try Self.stage()
        try Self.work(stage, "a")
        let decision = try Self.work(stage, "b", "", Samples.continueAsNew())
        let next = try #require(Stage(following: decision))
        next.passAndDecide(.seconds(2))
        try Self.work(next, "b")
        try Self.work(next, "c")
        let points = next.execution.durable.resetPoints(of: next.execution.runID).points
        let first = stage.execution.runID.description
        #expect(points.map(\.buildID) == ["a", "b", "c"])
        #expect(points.map(\.runID) == [first, first, next.execution.runID.description])
        #expect(points.prefix(2).map(\.firstWorkflowTaskCompletedID) == [4, 8])
        // Its own builds are its own.
        #expect(try Self.shown(next, "BuildIds") == #"["unversioned","unversioned:b","unversioned:c"]"#)
    }

    @Test(arguments: ["a\u{0}b", String(repeating: "x", count: 1_001)])
    func aNameThatCannotBeStoredIsRefused(_ name: String) throws {
        let stage = try Self.stage()
        #expect(throws: RequestError.self) { try Self.work(stage, name) }
        #expect(throws: RequestError.self) {
            try stage.complete { $0.binaryChecksum = name }
        }
        // The task is still the worker's.
        try stage.complete()
        #expect(stage.execution.durable.builds.map(\.id) == [""])
    }
}
