/// How much may be asked for: by a namespace, or by a caller. 0 stands for no limit.
public struct RequestLimits: Sendable, Hashable {
    /// Requests a second. A burst of one second's requests is let through.
    public var requestsPerSecond = 0
    /// Long polls that wait at the same time.
    public var longPolls = 0
    /// Bytes of requests a second.
    public var payloadBytesPerSecond = 0
    /// Open workflows of a namespace. Counted every second, so that a burst may exceed it.
    public var runningWorkflows = 0

    /// No limits.
    public init() {}

    var isUnlimited: Bool { requestsPerSecond <= 0 && longPolls <= 0 && payloadBytesPerSecond <= 0 }
}

/// The limits of all namespaces and callers.
public struct RequestLimitTable: Sendable, Hashable {
    /// Of a namespace that is not in ``namespaces``.
    public var namespace = RequestLimits()
    /// Of namespaces by name.
    public var namespaces: [String: RequestLimits] = [:]
    /// Of each caller who is known.
    public var caller = RequestLimits()

    /// No limits.
    public init() {}

    /// Those of a namespace.
    public func limits(of name: String) -> RequestLimits { namespaces[name] ?? namespace }

    var isUnlimited: Bool {
        namespace.isUnlimited && caller.isUnlimited && namespaces.values.allSatisfy(\.isUnlimited)
    }
}
