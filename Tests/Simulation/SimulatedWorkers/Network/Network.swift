internal import SagamoreEngine
internal import SagamoreServices
public import SagamoreSimulatedTime

/// What happened to requests and answers.
public struct NetworkCounts: Counts {
    public var requests = 0
    public var lostRequests = 0
    public var lostAnswers = 0
    public var repeatedRequests = 0
    public var delays = 0
    /// Requests that found no server.
    public var unreachable = 0
}

/// Carries requests to the service and answers back, late, twice, or not at all.
///
/// Unchecked: the whole world runs in one thread.
public final class Network: @unchecked Sendable {
    /// How often it misbehaves. The world may change this at any time.
    public var faults: NetworkFaults
    /// Where the service is.
    public let address: ServiceAddress
    /// What was lost, delayed and repeated.
    public private(set) var counts = NetworkCounts()
    let scheduler: Scheduler
    private let process = SimulatedProcess("network")
    private var lastConnection: UInt64 = 0

    /// A network without faults.
    public init(_ scheduler: Scheduler, _ address: ServiceAddress, faults: NetworkFaults = NetworkFaults()) {
        self.scheduler = scheduler
        self.address = address
        self.faults = faults
    }

    /// The number of a new connection.
    func newConnection() -> UInt64 {
        lastConnection += 1
        return lastConnection
    }

    /// Brings a request to the service, if one runs then.
    ///
    /// - Parameter call: receives the answer, or the error that no server runs.
    func send<Success: Sendable>(
        _ label: StaticString,
        _ call: Call<Success>,
        _ request: @escaping (ReachableService, Reply<Success>) -> Void
    ) {
        counts.requests += 1
        if faults.lostRequests > 0, scheduler.random.happens(faults.lostRequests) {
            counts.lostRequests += 1
            return
        }
        var copies = 1
        if faults.repeatedRequests > 0, scheduler.random.happens(faults.repeatedRequests) {
            counts.repeatedRequests += 1
            copies = 2
        }
        for _ in 0..<copies {
            scheduler.schedule(label, of: process, after: transit()) { [self] in deliver(call, request) }
        }
    }

    /// Brings a notice to the service, if one runs then.
    func notify(_ label: StaticString, after delay: Interval, _ notice: @escaping (ReachableService) -> Void) {
        scheduler.schedule(label, of: process, after: delay) { [address] in
            if let service = address.service { notice(service) }
        }
    }

    private func deliver<Success: Sendable>(
        _ call: Call<Success>,
        _ request: (ReachableService, Reply<Success>) -> Void
    ) {
        guard let service = address.service else {
            counts.unreachable += 1
            answer(call, .failure(.unavailable("no server runs")))
            return
        }
        request(service, Reply { [self] outcome in answer(call, outcome) })
    }

    /// Brings an answer back. Also called from within the service, so nothing happens at once.
    private func answer<Success: Sendable>(_ call: Call<Success>, _ outcome: Reply<Success>.Outcome) {
        if faults.lostAnswers > 0, scheduler.random.happens(faults.lostAnswers) {
            counts.lostAnswers += 1
            if case .success(let value) = outcome { call.undelivered(value) }
            return
        }
        scheduler.schedule("answer", of: process, after: transit()) { call.answer(outcome) }
    }

    private func transit() -> Interval {
        if faults.delays > 0, scheduler.random.happens(faults.delays) {
            counts.delays += 1
            return Interval(nanoseconds: Int64(scheduler.random.below(Int(faults.longestDelay.nanoseconds))))
        }
        guard faults.latency > .zero else { return .zero }
        return Interval(nanoseconds: Int64(scheduler.random.below(Int(faults.latency.nanoseconds))))
    }
}
