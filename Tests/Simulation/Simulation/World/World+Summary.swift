internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreSimulatedWorkers

extension World {
    /// Fills the tables of what was exercised.
    func summarize() {
        exercise.expect(.faults, FaultKind.allCases.map(\.rawValue))
        exercise.expect(.bounds, WorkCheck.names + ["bytes of history kept by loaded runs"])
        exercise.expect(
            .states,
            ["run leaves memory", "task paged in", "task paged out", "task postponed when looked"]
        )
        exercise.count(.faults, FaultKind.requestLost.rawValue, network.counts.lostRequests)
        exercise.count(.faults, FaultKind.answerLost.rawValue, network.counts.lostAnswers)
        exercise.count(.faults, FaultKind.requestTwice.rawValue, network.counts.repeatedRequests)
        exercise.count(.faults, FaultKind.delay.rawValue, network.counts.delays)
        begunByCommands = kafka?.shop.begunSagas ?? 0
        summarizeKafka()
        exercise.count(.checks, "open run looked at", worldCheck.looks)
        summarizeEvents()
        for worker in workers { summarize(worker.counts) }
        for client in clients { summarize(client.counts) }
    }

    /// Counts the events that are stored at the end, by type.
    private func summarizeEvents() {
        var counts: [EventType: Int] = [:]
        for run in database.runs {
            for row in database.journal(of: run.runID) {
                for type in (try? EventType.ofFrames(row.events)) ?? [] { counts[type, default: 0] += 1 }
            }
        }
        exercise.expect(.events, EventType.known.map(\.description))
        for (type, count) in counts { exercise.count(.events, type.description, count) }
    }

    private func summarize(_ counts: WorkerCounts) {
        exercise.count(.faults, FaultKind.taskForgotten.rawValue, counts.forgottenTasks)
        exercise.count(.faults, FaultKind.taskFailed.rawValue, counts.failedTasks)
        exercise.count(.faults, FaultKind.taskLate.rawValue, counts.lateTasks)
        exercise.count(.faults, FaultKind.attemptForgotten.rawValue, counts.forgottenAttempts)
        exercise.count(.faults, FaultKind.attemptLate.rawValue, counts.lateAttempts)
        exercise.count(.faults, FaultKind.oldAnswer.rawValue, counts.oldAnswers)
        let requests: [(String, Int)] = [
            ("workflow task", counts.workflowTasks), ("workflow task of a run in memory", counts.continuedRuns),
            ("workflow task with the whole history", counts.fetchedHistories),
            ("workflow task with a completion's answer", counts.nextTasks),
            ("completion that was refused", counts.refusedCompletions), ("query by a worker", counts.queries),
            ("activity", counts.activities), ("eager activity", counts.eagerActivities),
            ("activity completed", counts.completedActivities), ("activity failed", counts.failedActivities),
            ("activity canceled", counts.canceledActivities), ("activity refused", counts.refusedAnswers),
            ("heartbeat", counts.heartbeats), ("answer sent again", counts.repeatedAnswers),
            ("activity undelivered", counts.undelivered), ("update by a worker", counts.updates),
            ("workflow task that left no trace", counts.forgottenUpdateTasks),
        ]
        for (name, count) in requests { exercise.count(.requests, name, count) }
    }

    private func summarize(_ counts: ClientCounts) {
        let requests: [(String, Int)] = [
            ("start", counts.starts), ("start of an existing run", counts.existingRuns),
            ("start refused", counts.refusedStarts), ("signal", counts.signals),
            ("signal refused", counts.refusedSignals), ("cancel", counts.cancels),
            ("terminate", counts.terminations), ("terminate refused", counts.refusedTerminations),
            ("query answered", counts.answeredQueries), ("query failed", counts.failedQueries),
            ("update answered", counts.updates), ("update that waits", counts.waitingUpdates),
            ("update refused", counts.refusedUpdates), ("describe", counts.descriptions),
            ("page of a history", counts.pages), ("retry", counts.retries),
        ]
        for (name, count) in requests { exercise.count(.requests, name, count) }
    }
}
