public import SagamoreEngine
public import SagamorePersistence

/// How a server gets its sessions with the database.
public struct ServerStores: Sendable {
    /// A session of a shard's lane.
    public var makeLaneStore: @Sendable (Int32) throws -> any LaneStore
    /// A session of a loader.
    public var makeLoaderStore: @Sendable () throws -> any LoaderStore
    /// Until when a statement on a shard's row has to wait for a lock; nil if it need not.
    public var lockedUntil: @Sendable (Int32) -> Instant?

    public init(
        makeLaneStore: @escaping @Sendable (Int32) throws -> any LaneStore,
        makeLoaderStore: @escaping @Sendable () throws -> any LoaderStore,
        lockedUntil: @escaping @Sendable (Int32) -> Instant? = { _ in nil }
    ) {
        self.makeLaneStore = makeLaneStore
        self.makeLoaderStore = makeLoaderStore
        self.lockedUntil = lockedUntil
    }
}
