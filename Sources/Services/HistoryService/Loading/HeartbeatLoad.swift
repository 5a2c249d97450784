internal import SagamoreEngine
internal import SagamorePersistence

/// Loads the heartbeats of rebuilt runs in pages of bounded size, since details may be large and a run may have
/// thousands of activities.
struct HeartbeatLoad {
    /// A run's row, and the result of its rebuild.
    struct Rebuilt {
        let row: RunRow
        let found: LoadedRun
    }

    /// What to read from the store.
    struct Question: Equatable {
        let runIDs: [RunID]
        let after: HeartbeatPosition
    }

    let runs: [Rebuilt]
    private let open: [RunID: CachedRun]
    private var position = HeartbeatPosition.beginning
    private var isComplete: Bool

    init(_ runs: [Rebuilt] = []) {
        self.runs = runs
        var open: [RunID: CachedRun] = [:]
        for rebuilt in runs {
            guard case .run(let run) = rebuilt.found, run.execution.isRunning else { continue }
            open[run.runID] = run
        }
        self.open = open
        isComplete = open.isEmpty
    }

    /// What to read next; nil once all runs have their heartbeats.
    var question: Question? {
        isComplete ? nil : Question(runIDs: open.keys.sorted(), after: position)
    }

    /// Takes the answer to `question`.
    mutating func take(_ page: HeartbeatPage) {
        for row in page.rows { open[row.runID]?.restore(row) }
        if let last = page.rows.last {
            position = HeartbeatPosition(runID: last.runID, scheduledEventID: last.scheduledEventID)
        }
        isComplete = page.isLast
    }
}
