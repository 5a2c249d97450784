internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// Workflow tasks, from the poll to the answer.
extension SimulatedWorker {
    func received(_ task: AssignedWorkflowTask, then next: @escaping () -> Void) {
        counts.workflowTasks += 1
        ledgers.histories.saw(task.runID, task.history, mayEndUnwritten: task.nextPageToken.isEmpty)
        if faults.forgottenTasks > 0, scheduler.random.happens(faults.forgottenTasks) {
            counts.forgottenTasks += 1
            return next()
        }
        if faults.lateTasks > 0, scheduler.random.happens(faults.lateTasks) {
            counts.lateTasks += 1
            scheduler.schedule("handle a late task", of: process, after: longPause()) { [self] in
                handle(task, then: next)
            }
            return
        }
        handle(task, then: next)
    }

    func longPause() -> Interval {
        Interval(nanoseconds: Int64(scheduler.random.below(Int(faults.longestPause.nanoseconds))))
    }

    /// Continues the run if it is in memory, and gets the whole history otherwise.
    private func handle(_ task: AssignedWorkflowTask, then next: @escaping () -> Void) {
        if faults.failedTasks > 0, scheduler.random.happens(faults.failedTasks) { return fail(task, then: next) }
        let isPart = task.delivery.isSticky
        let kept = cache.take(task.runID)
        if task.nextPageToken.isEmpty {
            if !isPart { return run(task, ScriptRun(), task.history, isFetched: false, then: next) }
            if let kept, kept.lastStartedEventID == task.delivery.previousStartedEventID {
                counts.continuedRuns += 1
                return run(task, kept, task.history, isFetched: false, then: next)
            }
        }
        counts.fetchedHistories += 1
        // The pages that follow a part end with the task's start, as does a history that is read while the task runs.
        let (known, token) = isPart ? ([], []) : (task.history, task.nextPageToken)
        fetch(WorkflowReference(key: task.key, runID: task.runID), known, token) { [self] history in
            guard let history else { return next() }
            run(task, ScriptRun(), history, isFetched: true, then: next)
        }
    }

    /// Reads the rest of a history, page by page. Gives nil when it cannot be read any more.
    func fetch(
        _ run: WorkflowReference,
        _ known: [UInt8],
        _ token: [UInt8],
        _ done: @escaping ([UInt8]?) -> Void
    ) {
        caller.call("read a page", timeout: configuration.answerTimeout) { (service, reply: Reply<HistoryPage>) in
            let read = HistoryRead(
                pageToken: token,
                pageSize: 0,
                waitsForNews: false,
                onlyCloseEvent: false,
                deadline: service.clock() + .seconds(10)
            )
            service.history.readHistory(run, read, reply: reply)
        } done: { [self] outcome in
            switch outcome {
            case .success(let page):
                if let id = run.runID {
                    ledgers.histories.saw(id, page.frames, mayEndUnwritten: page.nextPageToken.isEmpty)
                }
                let frames = known + page.frames
                if page.nextPageToken.isEmpty { done(frames) } else { fetch(run, frames, page.nextPageToken, done) }
            case .failure(let error) where error.isPassing:
                pause("read the page again") { [self] in fetch(run, known, token, done) }
            case .failure: done(nil)
            }
        }
    }

    /// Handles the task's events, and sends the commands that follow.
    private func run(
        _ task: AssignedWorkflowTask,
        _ kept: ScriptRun,
        _ history: [UInt8],
        isFetched: Bool,
        then next: @escaping () -> Void
    ) {
        var run = kept
        let startedEventID = task.delivery.task.startedEventID
        do {
            var events = try ScriptEvent.decode(history)
            if isFetched {
                // The run may have gone on since the task began; then the task is over.
                events.removeAll { $0.id > startedEventID }
                guard case .taskStarted? = events.last?.kind, events.last?.id == startedEventID else { return next() }
            }
            try run.handle(events)
            guard run.lastStartedEventID == startedEventID else {
                throw ReplayViolation("the history does not end with the task's start, \(startedEventID)")
            }
        } catch {
            if kept.lastStartedEventID > 0, ledgers.activities.run(task.runID).isUncertain {
                // It was kept since before the database went back. The next try reads the whole history.
                return fail(task, then: next)
            }
            ledgers.violation(
                "worker \(identity) cannot replay run \(task.runID) of \(task.key.workflowID), task \(startedEventID): "
                    + "\(error)"
            )
            return fail(task, then: next)
        }
        complete(task, run, then: next)
    }

    private func complete(_ task: AssignedWorkflowTask, _ run: ScriptRun, then next: @escaping () -> Void) {
        guard case .workflow(let token)? = try? TaskToken(task.token) else {
            ledgers.violation("the token of a workflow task of run \(task.runID) cannot be read")
            return next()
        }
        var run = run
        var request = RespondWorkflowTaskCompletedRequest()
        request.identity = identity
        request.commands = run.takeCommands(taskQueue: configuration.taskQueue)
        request.queryResults = answers(task.queries, run)
        addMessages(to: &request, task, run)
        request.returnNewWorkflowTask = scheduler.random.happens(faults.nextTasks)
        request.forceCreateNewWorkflowTask = faults.forcedTasks > 0 && scheduler.random.happens(faults.forcedTasks)
        let isKept = configuration.mostCachedRuns > 0 && configuration.stickyPolls > 0
        if isKept {
            var sticky = StickyExecutionAttributes()
            var queue = TaskQueue()
            queue.name = stickyQueue
            queue.kind = .sticky
            queue.normalName = configuration.taskQueue
            sticky.workerTaskQueue = queue
            sticky.scheduleToStartTimeout = configuration.stickyTimeout.duration
            request.stickyAttributes = sticky
        }
        let isEvicted = faults.evictions > 0 && scheduler.random.happens(faults.evictions)
        if isKept, !run.isOver, !isEvicted { cache.keep(run, task.runID) }
        let started = run.lastStartedEventID
        deliver(
            "complete a workflow task",
            undelivered: { [self] (completed: CompletedWorkflowTask) in completed.eagerActivities.forEach(undelivered) }
        ) { [request] service, reply in
            service.history.completeWorkflowTask(token, request, reply: reply)
        } done: { [self] outcome in
            switch outcome {
            case .success(let completed):
                if completed.resetHistoryEventID == nil {
                    ledgers.activities.acknowledgedTask(task.runID, startedEventID: started)
                } else {
                    // Nothing of the task is in the history, and other events get its ids.
                    counts.forgottenUpdateTasks += 1
                    cache.drop(task.runID, at: started)
                }
                for activity in completed.eagerActivities {
                    counts.eagerActivities += 1
                    received(activity) {}
                }
                guard let following = completed.nextTask else { return next() }
                counts.nextTasks += 1
                received(following, then: next)
            case .failure:
                counts.refusedCompletions += 1
                cache.drop(task.runID, at: started)
                next()
            }
        }
    }

    private func fail(_ task: AssignedWorkflowTask, then next: @escaping () -> Void) {
        counts.failedTasks += 1
        guard case .workflow(let token)? = try? TaskToken(task.token) else { return next() }
        let identity = identity
        deliver("fail a workflow task") { service, reply in
            service.history.failWorkflowTask(
                token,
                cause: .workflowWorkerUnhandledFailure,
                failure: ScriptFailure.retried,
                identity: identity,
                reply: reply
            )
        } done: { _ in
            next()
        }
    }
}
