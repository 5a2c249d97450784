internal import SagamoreEngine

/// How the clients of a process reach the broker.
struct BrokerConnection {
    let broker: SimulatedBroker
    let timer: CallTimer
    let process: String
    let isAlive: () -> Bool

    /// What goes wrong with an operation of a client. A process that was killed within a step reaches nothing in the
    /// rest of it.
    func fault(_ client: String, _ kind: BrokerOperation.Kind) -> BrokerFault {
        guard isAlive() else { return .unreachable }
        return broker.fault(BrokerOperation(process: process, client: client, kind: kind))
    }
}
