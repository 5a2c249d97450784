internal import SagamoreEngine
internal import SagamoreSimulatedBroker
internal import SagamoreSimulatedTime

/// Decides what goes wrong with each operation of the broker.
struct BrokerFaults {
    var rates: FaultRates
    /// Until when the broker is away.
    var awayUntil = Instant.distantPast
    private var random: SeededRandom

    init(_ rates: FaultRates, _ random: SeededRandom) {
        self.rates = rates
        self.random = random
    }

    /// The fault of an operation, and its kind where it is one of those that are drawn for each operation.
    mutating func fault(of operation: BrokerOperation, at now: Instant) -> (BrokerFault, FaultKind?) {
        if now < awayUntil { return (.unreachable, nil) }
        if random.happens(rates[.brokerUnreachable]) { return (.unreachable, .brokerUnreachable) }
        switch operation.kind {
        case .initTransactions, .flush, .commit, .abort, .sendOffsets:
            if random.happens(rates[.transactionUnheard]) {
                return (.unanswered(isDone: random.happens(0.5)), .transactionUnheard)
            }
            if random.happens(rates[.fenced]) { return (.fenced, .fenced) }
        case .heartbeat, .send:
            if random.happens(rates[.fenced]) { return (.fenced, .fenced) }
        default: break
        }
        return (.none, nil)
    }
}
