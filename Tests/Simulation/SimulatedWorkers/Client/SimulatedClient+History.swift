internal import SagamoreEngine
internal import SagamoreServices

/// Reading histories, and waiting for the end of sagas.
extension SimulatedClient {
    /// Waits until the saga has closed.
    func waitForEnd(_ saga: ClientSaga, _ token: [UInt8]) {
        guard let runID = saga.runID else { return }
        page(saga, token, pageSize: 0, waitsForNews: true, onlyCloseEvent: true) { [self] page in
            guard let page else { return ended() }
            guard let event = (try? ScriptEvent.decode(page.frames))?.last else {
                return waitForEnd(saga, page.nextPageToken)
            }
            ledgers.histories.saw(runID, page.frames, mayEndUnwritten: false)
            guard case .closed(let end) = event.kind else {
                ledgers.violation("event \(event.id) of run \(runID) was shown as its close event")
                return ended()
            }
            ledgers.clients.saw(runID, end, knownBefore: nil)
            count(end)
            ended()
        }
    }

    private func count(_ end: RunEnd) {
        switch end {
        // Children alone continue as new, and clients follow none.
        case .completed, .continuedAsNew: counts.completedRuns += 1
        case .failed: counts.failedRuns += 1
        case .canceled: counts.canceledRuns += 1
        case .terminated: counts.terminatedRuns += 1
        case .timedOut: counts.timedOutRuns += 1
        }
    }

    /// Reads the whole history as it is now.
    func read(_ saga: ClientSaga) { readPages(saga, [], pageSize: scheduler.random.below(2) == 0 ? 0 : 3) }

    private func readPages(_ saga: ClientSaga, _ token: [UInt8], pageSize: Int) {
        page(saga, token, pageSize: pageSize, waitsForNews: false, onlyCloseEvent: false) { [self] page in
            guard let page, let runID = saga.runID else { return }
            ledgers.histories.saw(runID, page.frames, mayEndUnwritten: page.nextPageToken.isEmpty)
            if !page.nextPageToken.isEmpty { readPages(saga, page.nextPageToken, pageSize: pageSize) }
        }
    }

    /// Reads the history on and on, until the saga has closed.
    func readOn(_ saga: ClientSaga, _ token: [UInt8]) {
        page(saga, token, pageSize: 0, waitsForNews: true, onlyCloseEvent: false) { [self] page in
            guard let page, let runID = saga.runID else { return }
            ledgers.histories.saw(runID, page.frames, mayEndUnwritten: false)
            if !page.nextPageToken.isEmpty { return readOn(saga, page.nextPageToken) }
            guard let last = (try? ScriptEvent.decode(page.frames))?.last else { return }
            if case .closed(let end) = last.kind {
                ledgers.clients.saw(runID, end, knownBefore: nil)
            } else {
                ledgers.violation("a follower of run \(runID) was told that event \(last.id) is the last one")
            }
        }
    }

    /// - Parameter done: receives a page, or nil when the run is not found.
    private func page(
        _ saga: ClientSaga,
        _ token: [UInt8],
        pageSize: Int,
        waitsForNews: Bool,
        onlyCloseEvent: Bool,
        _ done: @escaping (HistoryPage?) -> Void
    ) {
        let run = WorkflowReference(key: saga.key, runID: saga.runID)
        let wait = Interval.seconds(waitsForNews ? 20 : 10)
        request("read a history", timeout: wait + plan.timeout) { (service, reply: Reply<HistoryPage>) in
            let read = HistoryRead(
                pageToken: token,
                pageSize: pageSize,
                waitsForNews: waitsForNews,
                onlyCloseEvent: onlyCloseEvent,
                deadline: service.clock() + wait
            )
            service.history.readHistory(run, read, reply: reply)
        } done: { [self] outcome in
            counts.pages += 1
            switch outcome {
            case .success(let page): done(page)
            case .failure(let error):
                missing(saga, error, "read")
                done(nil)
            }
        }
    }
}
