internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

/// What lists show of runs. It is written with the run's first row and its last one, and between them only when one of
/// its parts changes.
extension Shard {
    /// Under the lock: the row of a run that begins.
    func listed(_ run: CachedRun) -> RunRow {
        var row = run.row
        row.listing = run.ask { RunListing($0.durable) }
        if let given = row.listing.searchAttributes, let attributes = try? SearchAttributes(serializedBytes: given) {
            row.listing.values = values(of: attributes, in: run.key.namespace)
        }
        return row
    }

    /// Under the lock: what a decision changes of what lists show, besides the run's status.
    func noteListing(of run: CachedRun, _ decision: Decision, in item: LaneItem) {
        let saga = SagaStatus(decision.compensation) ?? (decision.undoes ? .compensating : nil)
        item.closing?.saga = saga
        if item.newRun != nil { item.newRun?.listing.saga = saga }
        let isNews = saga == .compensating && !run.isCompensating && item.closing == nil
        if isNews { run.isCompensating = true }
        guard isNews || decision.changesListing else { return }
        var change = RunListingChange(runID: run.runID, namespace: run.key.namespace)
        if isNews { change.saga = saga }
        for entry in decision.entries {
            guard case .event(let recorded) = entry else { continue }
            switch recorded.event.attributes {
            case .upsertWorkflowSearchAttributesEventAttributes(let event):
                guard let given = try? event.searchAttributes?.decoded() else { continue }
                let catalog = namespace(run.key.namespace)?.searchAttributes
                let ids = given.indexedFields.keys.sorted().compactMap { catalog?[$0]?.id }
                var upsert = change
                upsert.changedAttributes = ids
                upsert.values = values(of: given, in: run.key.namespace)
                change.apply(upsert)
                change.searchAttributes = run.ask { $0.durable.searchAttributes?.bytes }
            case .workflowPropertiesModifiedEventAttributes:
                change.memo = run.ask { $0.durable.memo?.bytes }
            default: break
            }
        }
        if item.newRun == nil, !change.isEmpty { item.listingChange = change }
    }

    private func values(of attributes: SearchAttributes, in namespace: Int32) -> [SearchValue] {
        guard let catalog = self.namespace(namespace)?.searchAttributes else { return [] }
        return catalog.values(of: attributes).flatMap { SearchValue.values(of: $0.attribute, $0.value) }
    }
}

extension SagaStatus {
    fileprivate init?(_ compensation: Decision.Compensation?) {
        switch compensation {
        case .complete: self = .compensated
        case .failed: self = .compensationFailed
        case nil: return nil
        }
    }
}

extension RunListing {
    /// The listing of a run in this state, without what its search attributes are found by.
    ///
    /// Borrowing: a copy of the state would retain all that it holds.
    fileprivate init(_ state: borrowing DurableState) {
        self.init()
        if state.firstTaskBackoff.isSet { executionAt = state.startedAt + state.firstTaskBackoff }
        parent = state.parent.map { RunName(workflowID: $0.workflowID, runID: $0.runID) }
        root = state.root.map { RunName(workflowID: $0.workflowID, runID: $0.runID) }
        commandID = state.origin?.commandID
        memo = state.memo.flatMap { $0.bytes.isEmpty ? nil : $0.bytes }
        searchAttributes = state.searchAttributes.flatMap { $0.bytes.isEmpty ? nil : $0.bytes }
    }
}
