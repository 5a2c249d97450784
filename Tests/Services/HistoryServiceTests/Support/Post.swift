import Foundation
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreHistoryService
import SagamoreProtobuf
import SagamoreServices

/// What runs send each other, on its way: it can be held, lost, and counted.
final class Post: DebtRecipient, @unchecked Sendable {
    enum Kind: Sendable { case start, signal, cancel, terminate, report }

    private let lock = NSLock()
    private var service: HistoryService?
    private var isHeld: @Sendable (Kind) -> Bool = { _ in false }
    private var losesAnswers: @Sendable (Kind) -> Bool = { _ in false }
    private var held: [@Sendable (HistoryService) -> Void] = []
    private var counts: [Kind: Int] = [:]

    func connect(_ history: HistoryService) {
        service = history
        history.connect(recipients: self)
    }

    /// The messages that were sent, by their kinds.
    func count(_ kind: Kind) -> Int { lock.withLock { counts[kind] ?? 0 } }
    var heldCount: Int { lock.withLock { held.count } }

    /// Keeps messages of these kinds until `letGo`.
    func hold(_ kinds: Kind...) { lock.withLock { isHeld = { kinds.contains($0) } } }

    /// Delivers messages of these kinds, and loses their answers.
    func loseAnswers(_ kinds: Kind...) { lock.withLock { losesAnswers = { kinds.contains($0) } } }

    func letGo() {
        let messages = lock.withLock {
            isHeld = { _ in false }
            defer { held = [] }
            return held
        }
        if let service { for message in messages { message(service) } }
    }

    /// Loses what is held.
    func drop() { lock.withLock { held = [] } }

    private func pass<Success>(
        _ kind: Kind,
        _ reply: Reply<Success>,
        _ message: @escaping @Sendable (HistoryService, Reply<Success>) -> Void
    ) {
        let (isHeld, isLost) = lock.withLock {
            counts[kind, default: 0] += 1
            return (self.isHeld(kind), losesAnswers(kind))
        }
        // Kept, so that a lost answer never comes.
        let kept = isLost ? Reply<Success> { [reply] _ in withExtendedLifetime(reply) {} } : reply
        if isLost { lock.withLock { unanswered.append(reply) } }
        if isHeld {
            lock.withLock { held.append { message($0, kept) } }
        } else if let service {
            message(service, kept)
        }
    }

    private var unanswered: [any Sendable] = []

    func start(_ request: StartRequest, namespace: Int32, reply: Reply<StartedRun>) {
        pass(.start, reply) { $0.start(request, namespace: namespace, reply: $1) }
    }

    func signal(_ workflow: WorkflowReference, _ request: SignalRequest, reply: Reply<RunID>) {
        pass(.signal, reply) { $0.signal(workflow, request, reply: $1) }
    }

    func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, reply: Reply<Void>) {
        pass(.cancel, reply) { $0.cancel(workflow, request, reply: $1) }
    }

    func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>) {
        pass(.terminate, reply) { $0.terminate(workflow, request, reply: $1) }
    }

    func reportChildEnd(_ parent: WorkflowReference, _ end: ChildEnd, reply: Reply<Void>) {
        pass(.report, reply) { $0.reportChildEnd(parent, end, reply: $1) }
    }
}

/// The namespace number 1.
struct DefaultNamespace: NamespaceDirectory {
    private static let record = NamespaceRecord(
        number: 1,
        id: Samples.namespace.id,
        name: Samples.namespace.name,
        description: "",
        ownerEmail: "",
        retention: .seconds(86_400),
        data: [:]
    )

    func namespace(named name: String) throws(RequestError) -> NamespaceRecord {
        guard name == Self.record.name else { throw RequestError(.notFound, "Namespace \(name) is not found.") }
        return Self.record
    }

    func namespace(numbered number: Int32) -> NamespaceRecord? { number == 1 ? Self.record : nil }
    func list() -> [NamespaceRecord] { [Self.record] }

    func register(
        name: String,
        description: String,
        ownerEmail: String,
        retention: Interval,
        data: ProtobufMap<String>
    ) throws(RequestError) -> NamespaceRecord {
        throw RequestError(.unimplemented, "there is one namespace")
    }
}
