internal import SagamoreEngine

/// What namespaces and callers have taken of their limits. Pure: times are parameters.
struct AdmissionState: Sendable {
    /// A call, as far as its limits go.
    struct Request: Sendable {
        let load: CallLoad
        let namespace: String
        /// Nil for one who is not known.
        let caller: String?
        let bytes: Int
    }

    enum Outcome {
        /// `polls`: those for whom a long poll was counted, to be told of its end.
        case admitted(polls: [Key])
        case refused(Refusal)
    }

    enum Key: Hashable {
        case namespace(String)
        case caller(String)
    }

    private struct Usage {
        var requests = RateBucket()
        var bytes = RateBucket()
        var polls = 0

        func isIdle(at now: Int64) -> Bool { requests.isIdle(at: now) && bytes.isIdle(at: now) }
    }

    var limits: RequestLimitTable {
        didSet { isUnlimited = limits.isUnlimited }
    }
    private var isUnlimited: Bool
    private var usage: [Key: Usage] = [:]
    /// Open workflows by namespace, where they are counted: as counted last, and the starts since then.
    var open: [String: Int] = [:]

    /// The most namespaces and callers that are remembered: names that do not exist can be asked for, too.
    static let most = 10_000

    init(_ limits: RequestLimitTable) {
        self.limits = limits
        isUnlimited = limits.isUnlimited
    }

    /// Takes what the call needs, all of it or nothing.
    mutating func admit(_ request: Request, at now: Int64) -> Outcome {
        if case .start = request.load, let refusal = startRefusal(request.namespace) { return .refused(refusal) }
        guard !isUnlimited else { return .admitted(polls: []) }
        let scopes = scopes(of: request)
        for (index, scope) in scopes.enumerated() {
            guard let refusal = take(request, scope.key, scope.limits, at: now) else { continue }
            for before in scopes[..<index] { giveBack(request, before.key, before.limits) }
            return .refused(refusal)
        }
        if case .longPoll = request.load { return .admitted(polls: scopes.map(\.key)) }
        return .admitted(polls: [])
    }

    /// A long poll has ended. Only those for whom it was counted: the limits may be others by now.
    mutating func pollEnded(_ polls: [Key]) {
        for key in polls { usage[key]?.polls -= 1 }
    }

    private func scopes(of request: Request) -> [(key: Key, limits: RequestLimits)] {
        var scopes: [(key: Key, limits: RequestLimits)] = []
        let own = limits.limits(of: request.namespace)
        if !own.isUnlimited { scopes.append((.namespace(request.namespace), own)) }
        if let caller = request.caller, !limits.caller.isUnlimited { scopes.append((.caller(caller), limits.caller)) }
        return scopes
    }

    private mutating func startRefusal(_ namespace: String) -> Refusal? {
        let limit = limits.limits(of: namespace).runningWorkflows
        guard limit > 0, let count = open[namespace] else { return nil }
        guard count < limit else {
            return Refusal(limit: .runningWorkflows, scope: .namespace, allowed: limit, wait: 1_000_000_000)
        }
        open[namespace] = count + 1
        return nil
    }

    private mutating func take(_ request: Request, _ key: Key, _ limits: RequestLimits, at now: Int64) -> Refusal? {
        if usage[key] == nil, usage.count >= Self.most { forgetSome(at: now) }
        var used = usage[key] ?? Usage()
        let scope: Refusal.Scope = if case .namespace = key { .namespace } else { .caller }
        if case .longPoll = request.load, limits.longPolls > 0, used.polls >= limits.longPolls {
            return Refusal(limit: .longPolls, scope: scope, allowed: limits.longPolls, wait: 1_000_000_000)
        }
        if limits.requestsPerSecond > 0,
            let wait = used.requests.take(1, perSecond: limits.requestsPerSecond, at: now)
        {
            return Refusal(limit: .requests, scope: scope, allowed: limits.requestsPerSecond, wait: wait)
        }
        if limits.payloadBytesPerSecond > 0,
            let wait = used.bytes.take(request.bytes, perSecond: limits.payloadBytesPerSecond, at: now)
        {
            return Refusal(limit: .bytes, scope: scope, allowed: limits.payloadBytesPerSecond, wait: wait)
        }
        if case .longPoll = request.load { used.polls += 1 }
        usage[key] = used
        return nil
    }

    /// Forgets those who have paid for everything; when that is not enough, all but those with polls.
    private mutating func forgetSome(at now: Int64) {
        usage = usage.filter { $0.value.polls > 0 || !$0.value.isIdle(at: now) }
        if usage.count > Self.most / 2 { usage = usage.filter { $0.value.polls > 0 } }
    }

    /// The namespaces and callers that are remembered.
    var rememberedCount: Int { usage.count }

    private mutating func giveBack(_ request: Request, _ key: Key, _ limits: RequestLimits) {
        guard var used = usage[key] else { return }
        if limits.requestsPerSecond > 0 { used.requests.giveBack(1, perSecond: limits.requestsPerSecond) }
        if limits.payloadBytesPerSecond > 0 {
            used.bytes.giveBack(request.bytes, perSecond: limits.payloadBytesPerSecond)
        }
        if case .longPoll = request.load { used.polls -= 1 }
        usage[key] = used
    }

    /// Why there is no room for a call.
    struct Refusal {
        enum Limit: String { case requests, bytes, longPolls = "long_polls", runningWorkflows = "running_workflows" }

        enum Scope: String { case namespace, caller }

        let limit: Limit
        let scope: Scope
        let allowed: Int
        /// After which time to ask again, in nanoseconds.
        let wait: Int64

        /// Its texts begin as those of Temporal's server.
        var error: RequestError {
            let what =
                switch limit {
                case .requests: "\(scope) rate limit exceeded: \(allowed) requests a second"
                case .bytes: "\(scope) rate limit exceeded: \(allowed) bytes of requests a second"
                case .longPolls: "\(scope) concurrent poller limit exceeded: \(allowed) at a time"
                case .runningWorkflows: "\(scope) limit of running workflows exceeded: \(allowed)"
                }
            let milliseconds = max(1, (wait + 999_999) / 1_000_000)
            return RequestError(
                .resourceExhausted,
                "\(what); try again in \(milliseconds) ms",
                detail: .tooMuch(isConcurrent: limit == .longPolls, retryAfterMilliseconds: milliseconds)
            )
        }
    }
}
