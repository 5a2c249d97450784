internal import SagamoreEngine

/// How the clients of a process reach the broker.
struct BrokerConnection {
    let broker: SimulatedBroker
    let timer: CallTimer
    let process: String

    /// What goes wrong with an operation of a client.
    func fault(_ client: String, _ kind: BrokerOperation.Kind) -> BrokerFault {
        broker.fault(BrokerOperation(process: process, client: client, kind: kind))
    }
}
