public import SagamoreAPI
public import SagamoreProtobuf

/// A build of the workers, with the first workflow task of a run that it completed. A reset can go back to there.
public struct WorkerBuild: Equatable, Sendable {
    /// The build's id; empty where a worker names none.
    public let id: String
    /// The checksum of the worker's program, which some SDKs name besides; empty without one.
    public let binaryChecksum: String
    /// The id of the task's WorkflowTaskCompleted.
    public let completedEventID: Int64
    /// When it was completed.
    public let completedAt: Instant
    /// Whether nothing of other workflows was pending then, which a reset could not repeat.
    public let isResettable: Bool

    public init(id: String, binaryChecksum: String, completedEventID: Int64, completedAt: Instant, isResettable: Bool) {
        self.id = id
        self.binaryChecksum = binaryChecksum
        self.completedEventID = completedEventID
        self.completedAt = completedAt
        self.isResettable = isResettable
    }

    /// The values of the search attribute `BuildIds` for a run that these builds have worked on. Tasks go to any worker
    /// of their queue, so no build is one that a run is bound to.
    static func searchValues(_ builds: [WorkerBuild]) -> [String] {
        var values = [unversioned]
        for build in builds where !build.id.isEmpty {
            let value = "\(unversioned):\(build.id)"
            if !values.contains(value) { values.append(value) }
        }
        return values
    }

    /// What `BuildIds` holds of each run, and what stands before the id of a build.
    private static let unversioned = "unversioned"

    /// What of a build is new to a run.
    public struct Names: Equatable, Sendable {
        /// The build's id; empty where the worker names none; nil when it is known.
        public var id: String?
        /// The checksum of the worker's program; nil when there is none, or it is known.
        public var binaryChecksum: String?

        public init() {}
    }

    /// The most points of a chain that are kept: Temporal's default.
    static let pointLimit = 20

    func point(of runID: RunID) -> ResetPointInfo {
        var point = ResetPointInfo()
        point.buildID = id
        point.binaryChecksum = binaryChecksum
        point.runID = runID.description
        point.firstWorkflowTaskCompletedID = completedEventID
        point.createTime = completedAt.timestamp
        point.resettable = isResettable
        return point
    }
}

extension DurableState {
    /// The search attributes of the run, with those that tell of its builds.
    public var shownAttributes: RawMessage<SearchAttributes> {
        let own = searchAttributes ?? RawMessage()
        guard !builds.isEmpty else { return own }
        var shown = SearchAttributes()
        shown.indexedFields["BuildIds"] = Payload(keywords: WorkerBuild.searchValues(builds))
        var checksums: [String] = []
        for build in builds where !build.binaryChecksum.isEmpty && !checksums.contains(build.binaryChecksum) {
            checksums.append(build.binaryChecksum)
        }
        if !checksums.isEmpty { shown.indexedFields["BinaryChecksums"] = Payload(keywords: checksums) }
        // Maps of two messages become one when their bytes stand behind each other.
        return RawMessage(uncheckedBytes: own.bytes + shown.serializedBytes())
    }

    /// How the worker of the last completed workflow task named its build; nil where it did not.
    public var latestWorkerVersion: WorkerVersionStamp? {
        guard builds.indices.contains(latestBuild), !builds[latestBuild].id.isEmpty else { return nil }
        var stamp = WorkerVersionStamp()
        stamp.buildID = builds[latestBuild].id
        return stamp
    }

    /// What the run has seen for the first time in an event from this one on.
    public func newBuild(since eventID: Int64) -> WorkerBuild.Names {
        var names = WorkerBuild.Names()
        guard let build = builds.last, build.completedEventID >= eventID else { return names }
        let known = builds.dropLast()
        if !known.contains(where: { $0.id == build.id }) { names.id = build.id }
        if !build.binaryChecksum.isEmpty, !known.contains(where: { $0.binaryChecksum == build.binaryChecksum }) {
            names.binaryChecksum = build.binaryChecksum
        }
        return names
    }

    /// Where builds have begun to work on the chain that ends with this run: the newest 20, oldest first.
    public func resetPoints(of runID: RunID) -> ResetPoints {
        var points = ResetPoints()
        points.points = earlierResetPoints
        for build in builds {
            let isKnown = points.points.contains {
                $0.buildID == build.id && $0.binaryChecksum == build.binaryChecksum
            }
            if !isKnown { points.points.append(build.point(of: runID)) }
        }
        points.points = points.points.suffix(WorkerBuild.pointLimit)
        return points
    }

    /// Notes the build of a worker that has completed a workflow task, unless it is known.
    mutating func noteBuild(of attributes: WorkflowTaskCompletedEventAttributes, eventID: Int64, at: Instant) {
        let (id, checksum) = (attributes.workerVersion?.buildID ?? "", attributes.binaryChecksum)
        if let known = builds.firstIndex(where: { $0.id == id && $0.binaryChecksum == checksum }) {
            latestBuild = known
            return
        }
        let build = WorkerBuild(
            id: id,
            binaryChecksum: checksum,
            completedEventID: eventID,
            completedAt: at,
            isResettable: children.isEmpty && signals.isEmpty && cancels.isEmpty
        )
        builds.append(build)
        if builds.count > WorkerBuild.pointLimit { builds.removeFirst() }
        latestBuild = builds.count - 1
    }
}

extension Execution {
    /// What a run leaves the next one of its chain, with the build that has completed the workflow task of this draft.
    func resetPoints(behind draft: Draft) -> ResetPoints {
        var state = durable
        for case .event(let recorded) in draft.decision.entries {
            if case .workflowTaskCompletedEventAttributes(let completed) = recorded.event.attributes {
                state.noteBuild(of: completed, eventID: recorded.event.eventID, at: draft.now)
            }
        }
        return state.resetPoints(of: runID)
    }
}
