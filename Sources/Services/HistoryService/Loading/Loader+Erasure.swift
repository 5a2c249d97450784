internal import SagamorePersistence

extension Loader {
    /// What one step of erasing deleted runs removes. Requests wait for the loader meanwhile.
    private static let erasureLimit = ErasureLimit(runs: 50, rows: 1_000, bytes: 4 << 20)

    /// Erases a part of what is stored of deleted runs. The next step follows in another turn.
    func erase() {
        guard shard.perform({ shard.state.ownership.isOwned }) else { return }
        let step = withStore { (store) throws(CommitError) in
            try store.eraseDeletedRuns(shard: self.shard.id, limit: Self.erasureLimit)
        }
        if case .success(true) = step { shard.loads.add(.erase) }
    }
}
