internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// Histories that are read from their end.
extension Shard {
    func readReversedHistory(
        _ workflow: WorkflowReference,
        _ request: HistoryRead,
        _ caller: consuming Caller<HistoryPage>
    ) {
        if !request.pageToken.isEmpty {
            do throws(RequestError) {
                let token = try HistoryPageToken(request.pageToken)
                guard token.isReversed else { throw .invalidPageToken }
                // Events before those that were shown are committed.
                return readReversedPage(token, of: workflow.key, request, caller.answeredFromStore())
            } catch {
                return caller.refuse(error)
            }
        }
        resolve(workflow, caller) { (access: consuming RunAccess<HistoryPage>, resolved) in
            let token: HistoryPageToken
            switch resolved {
            case .missing: return access.fail(workflow.missing)
            case .closed(let row):
                token = HistoryPageToken(
                    runID: row.runID,
                    nextEventID: row.historyLength,
                    lastEventID: 0,
                    suffix: [],
                    isReversed: true
                )
            case .cached(let run):
                token = HistoryPageToken(
                    runID: run.runID,
                    nextEventID: run.execution.durable.lastEventID,
                    lastEventID: 0,
                    suffix: run.execution.unwrittenEvents().reversed().flatMap(\.frame),
                    isReversed: true
                )
            }
            let (shard, key) = (access.shard, workflow.key)
            access.whenCommitted { shard.readReversedPage(token, of: key, request, $0) }
        }
    }

    private func readReversedPage(
        _ token: HistoryPageToken,
        of workflow: WorkflowKey,
        _ request: HistoryRead,
        _ reply: Reply<HistoryPage>
    ) {
        let limit = request.pageSize > 0 ? min(request.pageSize, Self.pageEventLimit) : Self.pageEventLimit
        loads.add(
            .read(
                { (store) throws(CommitError) in
                    let rows = try store.readHistory(
                        token.runID,
                        of: workflow,
                        backFrom: token.nextEventID,
                        byteLimit: Self.pageByteLimit
                    )
                    guard !rows.isEmpty else { return reply.fail(.historyNotFound(of: token.runID)) }
                    guard let page = Self.reversedPage(of: rows, token, limit: limit) else {
                        return reply.fail(.unreadableHistory(of: token.runID))
                    }
                    reply.succeed(page)
                },
                failed: { reply.fail($0) }
            )
        )
    }

    /// Cuts a page out of rows of a journal, the newest of which comes first. Returns nil if they are not valid frames,
    /// or leave events out.
    static func reversedPage(of rows: [JournalRow], _ token: HistoryPageToken, limit: Int) -> HistoryPage? {
        var frames = token.suffix
        var next = token.nextEventID
        var count = 0
        var bytes = 0
        for row in rows {
            guard let ends = try? HistoryFrames.ends(row.events) else { return nil }
            var index = ends.count - 1
            while index >= 0 {
                let id = row.firstEventID + Int64(index)
                let hasRoom = count < limit && (bytes < pageByteLimit || count == 0)
                if id == next, hasRoom {
                    let frame = row.events[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
                    frames += frame
                    bytes += frame.count
                    next -= 1
                    count += 1
                }
                index -= 1
            }
        }
        guard count > 0 else { return nil }
        guard next > 0 else { return HistoryPage(frames: frames, nextPageToken: []) }
        let rest = HistoryPageToken(
            runID: token.runID,
            nextEventID: next,
            lastEventID: 0,
            suffix: [],
            isReversed: true
        )
        return HistoryPage(frames: frames, nextPageToken: rest.bytes)
    }
}

extension RequestError {
    /// Each run has a first row: this one was deleted, or belongs to another workflow.
    static func historyNotFound(of runID: RunID) -> RequestError {
        let message = "workflow execution not found for run ID \"\(runID)\""
        return RequestError(.notFound, message, detail: .workflowNotFound)
    }

    /// The stored bytes are damaged.
    static func unreadableHistory(of runID: RunID) -> RequestError {
        RequestError(.internalError, "the history of run \(runID) cannot be read")
    }
}
