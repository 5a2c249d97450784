internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

extension Shard {
    static let pageByteLimit = 2 << 20
    static let pageEventLimit = 2_000

    func readHistory(_ workflow: WorkflowReference, _ request: HistoryRead, _ caller: consuming Caller<HistoryPage>) {
        if request.isReversed { return readReversedHistory(workflow, request, caller) }
        var token: HistoryPageToken?
        if !request.pageToken.isEmpty {
            do throws(RequestError) {
                token = try HistoryPageToken(request.pageToken)
                if token?.isReversed == true { throw .invalidPageToken }
            } catch {
                return caller.refuse(error)
            }
        }
        if let token, token.lastEventID > 0, !request.waitsForNews {
            // A page of a history that a worker was given, so its end is known. The token comes from a client, so its
            // run is read only if it belongs to the workflow.
            return readPage(token, of: workflow.key, pageSize: request.pageSize, caller.answeredFromStore())
        }
        let reference = WorkflowReference(key: workflow.key, runID: token?.runID ?? workflow.runID)
        let from = token?.nextEventID ?? 1
        resolve(reference, caller) { (access: consuming RunAccess<HistoryPage>, resolved) in
            switch resolved {
            case .missing: access.fail(workflow.missing)
            case .closed(let row):
                let first = request.onlyCloseEvent ? row.historyLength : from
                let (runID, last) = (row.runID, row.historyLength)
                let token = HistoryPageToken(runID: runID, nextEventID: first, lastEventID: last, suffix: [])
                let shard = access.shard
                access.whenCommitted { shard.readPage(token, of: row.key, pageSize: request.pageSize, $0) }
            case .cached(let run): access.shard.answer(access, run, from: from, request)
            }
        }
    }

    /// Under the lock.
    private func answer(
        _ access: consuming RunAccess<HistoryPage>,
        _ run: CachedRun,
        from: Int64,
        _ request: HistoryRead
    ) {
        if request.waitsForNews, !run.committed.isClosed { return follow(access, run, from: from, request) }
        let isClosed = !run.execution.isRunning
        if request.onlyCloseEvent {
            // A running workflow has none.
            return access.succeed(HistoryPage(frames: isClosed ? run.lastFrame : [], nextPageToken: []))
        }
        let key = run.key
        let token = HistoryPageToken(
            runID: run.runID,
            nextEventID: from,
            lastEventID: run.execution.durable.lastEventID,
            suffix: run.execution.unwrittenEvents().flatMap(\.frame)
        )
        access.whenCommitted { [self] reply in readPage(token, of: key, pageSize: request.pageSize, reply) }
    }

    /// Under the lock. A follower gets what is committed, and waits if it has seen all of it. If it waited for events
    /// that are being written, it would never hear of a busy run. It gets each event once, so it must not get an event
    /// that another one could still replace.
    private func follow(
        _ access: consuming RunAccess<HistoryPage>,
        _ run: CachedRun,
        from: Int64,
        _ request: HistoryRead
    ) {
        let last = run.committed.lastEventID
        let (key, runID) = (run.key, run.runID)
        if request.onlyCloseEvent || from > last { return wait(access, runID, from: from, last: last, request) }
        let token = HistoryPageToken(runID: runID, nextEventID: from, lastEventID: last, suffix: [])
        access.answerFromStore { [self] reply in
            readPage(token, of: key, pageSize: request.pageSize, failed: { reply.fail($0) }) { page in
                // The last page for the follower of a running workflow is not the end of the history.
                guard page.nextPageToken.isEmpty else { return reply.succeed(page) }
                let next = HistoryPageToken(runID: runID, nextEventID: last + 1, lastEventID: 0, suffix: [])
                reply.succeed(HistoryPage(frames: page.frames, nextPageToken: next.bytes))
            }
        }
    }

    /// Under the lock.
    private func wait(
        _ access: consuming RunAccess<HistoryPage>,
        _ runID: RunID,
        from: Int64,
        last: Int64,
        _ request: HistoryRead
    ) {
        let next = HistoryPageToken(runID: runID, nextEventID: from, lastEventID: 0, suffix: []).bytes
        let reference = WorkflowReference(key: access.context.key, runID: runID)
        let again = HistoryRead(
            pageToken: next,
            pageSize: request.pageSize,
            waitsForNews: request.waitsForNews,
            onlyCloseEvent: request.onlyCloseEvent,
            deadline: request.deadline
        )
        access.waitForNewEvents(
            of: runID,
            afterEventID: last,
            onlyCloseEvent: request.onlyCloseEvent,
            deadline: min(request.deadline, clock() + configuration.historyWait),
            notify: { [self] reply, closeFrame in
                if request.onlyCloseEvent, let closeFrame {
                    reply.succeed(HistoryPage(frames: closeFrame, nextPageToken: []))
                } else {
                    readHistory(reference, again, Caller(reply))
                }
            },
            expire: { reply in reply.succeed(HistoryPage(frames: [], nextPageToken: next)) }
        )
    }

    private func readPage(
        _ token: HistoryPageToken,
        of workflow: WorkflowKey,
        pageSize: Int,
        _ reply: Reply<HistoryPage>
    ) {
        readPage(token, of: workflow, pageSize: pageSize, failed: { reply.fail($0) }) { reply.succeed($0) }
    }

    /// Reads a page when the loader has its turn.
    func readPage(
        _ token: HistoryPageToken,
        of workflow: WorkflowKey,
        pageSize: Int,
        failed: @escaping @Sendable (RequestError) -> Void,
        _ done: @escaping @Sendable (HistoryPage) -> Void
    ) {
        let limit = pageSize > 0 ? min(pageSize, Self.pageEventLimit) : Self.pageEventLimit
        loads.add(
            .read(
                { (store) throws(CommitError) in
                    let rows = try store.readHistory(
                        token.runID,
                        of: workflow,
                        from: token.nextEventID,
                        byteLimit: Self.pageByteLimit
                    )
                    guard !rows.isEmpty else { return failed(.historyNotFound(of: token.runID)) }
                    guard let page = Self.page(of: rows, token, limit: limit) else {
                        return failed(.unreadableHistory(of: token.runID))
                    }
                    done(page)
                },
                failed: failed
            )
        )
    }

    /// Cuts a page out of the rows of a journal. Returns nil if they are not valid frames.
    static func page(of rows: [JournalRow], _ token: HistoryPageToken, limit: Int) -> HistoryPage? {
        var frames: [UInt8] = []
        var next = token.nextEventID
        let last = token.lastEventID > 0 ? token.lastEventID : .max
        var count = 0
        for row in rows {
            guard let ends = try? HistoryFrames.ends(row.events) else { return nil }
            var start = 0
            var id = row.firstEventID
            for end in ends {
                // A row may hold many transitions, so bytes are also counted here. A page has at least one event.
                let hasRoom = count < limit && (frames.count < pageByteLimit || count == 0)
                if id == next, id <= last, hasRoom {
                    frames += row.events[start..<end]
                    next = id + 1
                    count += 1
                }
                start = end
                id += 1
            }
        }
        if next > last || count == 0 || token.lastEventID == 0 {
            return HistoryPage(frames: frames + token.suffix, nextPageToken: [])
        }
        let rest = HistoryPageToken(
            runID: token.runID,
            nextEventID: next,
            lastEventID: token.lastEventID,
            suffix: token.suffix
        )
        return HistoryPage(frames: frames, nextPageToken: rest.bytes)
    }
}
