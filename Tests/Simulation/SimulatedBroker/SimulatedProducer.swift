internal import SagamoreEngine
internal import SagamoreKafkaClient
internal import SagamoreKafkaFront

/// A transactional producer. Records gather in the client until it flushes, adds offsets, or commits.
///
/// Unchecked: the whole world runs in one thread.
final class SimulatedProducer: TransactionalProducer, @unchecked Sendable {
    private static let largestBatch = 1_000_000
    private static let transactionLimit = Interval.seconds(30)

    private let connection: BrokerConnection
    private let id: String
    private let largestRecord: Int
    private var lifecycle = TransactionLifecycle()
    private var epoch = 0
    private var transaction = 0
    private var queue: [SimulatedBroker.Outgoing] = []
    private(set) var failures: [KafkaTransactionalProducer.Failure] = []
    /// Why the transaction must be aborted.
    private var abortable: KafkaError?
    private var fatal: KafkaError?

    private var broker: SimulatedBroker { connection.broker }
    private var timer: CallTimer { connection.timer }

    init(_ connection: BrokerConnection, _ configuration: KafkaConfiguration, id: String) {
        self.connection = connection
        self.id = id
        largestRecord = configuration.properties["message.max.bytes"].flatMap { Int($0) } ?? 1_000_000
    }

    func initTransactions(timeout: Duration) throws(KafkaError) {
        try call(.initTransactions, .initTransactions, timeout) { () throws(KafkaError) in
            epoch = broker.initProducer(id)
        }
    }

    func begin() throws(KafkaError) {
        try call(.begin) { () throws(KafkaError) in
            failures = []
            abortable = nil
            transaction += 1
        }
    }

    func produce(
        topic: String,
        key: [UInt8]?,
        value: [UInt8]?,
        headers: [KafkaHeader],
        partition: Int32?,
        timestamp: Int64?,
        record: UInt64
    ) throws(KafkaError) {
        if case .refused(let refusal) = connection.fault(id, .produce(topic: topic)) {
            throw BrokerError.refused(refusal)
        }
        try call(.produce) { () throws(KafkaError) in
            let number = broker.partition(topic, key: key, partition) ?? 0
            let content = KafkaRecord(
                topic: topic,
                partition: number,
                offset: 0,
                key: key,
                value: value,
                headers: headers,
                timestamp: timestamp ?? broker.milliseconds
            )
            let name = KafkaPartition(topic: topic, partition: number)
            let outgoing = SimulatedBroker.Outgoing(number: record, partition: name, record: content)
            guard outgoing.size <= largestRecord else { throw BrokerError.refused(.tooLarge) }
            queue.append(outgoing)
        }
    }

    func flush(timeout: Duration) throws(KafkaError) {
        try call(.flush, .flush, timeout) { () throws(KafkaError) in
            // A flush reports no failure of its own.
            if abortable == nil { try send() }
        }
    }

    func sendOffsets(
        group: String,
        _ offsets: [KafkaTransactionalProducer.Offset],
        timeout: Duration
    ) throws(KafkaError) {
        guard !offsets.isEmpty else { return }
        try call(.sendOffsets, .sendOffsets(group: group), timeout) { () throws(KafkaError) in
            if let abortable { throw abortable }
            try send()
            if let abortable { throw abortable }
            try broker.addOffsets(offsets, group: group, by: id, epoch: epoch, limit: Self.transactionLimit)
        }
    }

    func commit(timeout: Duration) throws(KafkaError) {
        try call(.commit, .commit, timeout) { () throws(KafkaError) in
            if abortable == nil { try send() }
            if let abortable { throw abortable }
            if !failures.isEmpty { throw BrokerError.requiresAbort(BrokerError.inconsistent) }
            try broker.endTransaction(id, epoch: epoch, number: transaction, isCommit: true)
        }
    }

    func abort(timeout: Duration) throws(KafkaError) {
        try call(.abort, .abort, timeout) { () throws(KafkaError) in
            failures += queue.map { .init(record: $0.number, error: BrokerError.purged) }
            queue = []
            try broker.endTransaction(id, epoch: epoch, number: transaction, isCommit: false)
            abortable = nil
        }
    }

    /// Sends what has gathered, in batches of one partition each.
    private func send() throws(KafkaError) {
        var waiting = queue
        queue = []
        while let first = waiting.first {
            var batch: [SimulatedBroker.Outgoing] = []
            var (size, isFull) = (0, false)
            waiting.removeAll { record in
                guard record.partition == first.partition, !isFull else { return false }
                isFull = !batch.isEmpty && size + record.size > Self.largestBatch
                guard !isFull else { return false }
                size += record.size
                batch.append(record)
                return true
            }
            if let error = try refusal(of: batch) {
                failures += batch.map { .init(record: $0.number, error: error) }
                // A missing topic is found by the client, which says so when it commits.
                if !error.isUnknownTopic { abortable = abortable ?? BrokerError.requiresAbort(error) }
            }
        }
    }

    private func refusal(of batch: [SimulatedBroker.Outgoing]) throws(KafkaError) -> KafkaError? {
        switch connection.fault(id, .send(batch[0].partition)) {
        case .refused(let refusal): return BrokerError.refused(refusal)
        case .requiresAbort: return BrokerError.outOfOrder
        case .fenced: _ = broker.initProducer(id)
        case .fatal: throw BrokerError.fatal
        case .slow(let interval): timer.spend(interval)
        case .none, .unreachable, .unanswered, .retriable: break
        }
        return try broker.write(batch, by: id, epoch: epoch, limit: Self.transactionLimit)
    }

    // MARK: Calls

    /// A call that asks nothing of the broker. An error of it leaves the transaction as it is.
    private func call(
        _ call: TransactionLifecycle.Call,
        _ body: () throws(KafkaError) -> Void
    ) throws(KafkaError) {
        try check(call)
        try body()
        lifecycle.ended(call, .succeeded)
    }

    private func check(_ call: TransactionLifecycle.Call) throws(KafkaError) {
        guard !lifecycle.allows(call) else { return }
        if lifecycle.state == .over, let fatal { throw fatal }
        throw KafkaError(
            code: KafkaError.Code(rawValue: -172),
            message: "\(call) is not allowed while the producer is \(lifecycle.state)",
            isFatal: lifecycle.state == .over
        )
    }

    private func call(
        _ call: TransactionLifecycle.Call,
        _ kind: BrokerOperation.Kind,
        _ timeout: Duration,
        _ body: () throws(KafkaError) -> Void
    ) throws(KafkaError) {
        try check(call)
        let error = outcome(kind, timeout, body)
        lifecycle.ended(call, TransactionLifecycle.Outcome(error))
        guard let error else { return }
        if error.isFatal { fatal = error }
        guard lifecycle.state == .over, !error.isFenced else { throw error }
        throw KafkaError(code: error.code, message: error.message, isFatal: true)
    }

    private func outcome(
        _ kind: BrokerOperation.Kind,
        _ timeout: Duration,
        _ body: () throws(KafkaError) -> Void
    ) -> KafkaError? {
        func run() -> KafkaError? {
            do throws(KafkaError) {
                try body()
                return nil
            } catch {
                return error
            }
        }
        switch connection.fault(id, kind) {
        case .none: return run()
        case .unreachable:
            timer.spend(timeout)
            return BrokerError.timedOut
        case .unanswered(let isDone):
            timer.spend(timeout)
            // An error that the broker gives is not heard either; it shows at the next call.
            if isDone { _ = run() }
            return BrokerError.timedOut
        case .slow(let interval):
            timer.spend(interval)
            return run()
        case .retriable: return BrokerError.coordinatorLoading
        case .requiresAbort: return BrokerError.requiresAbort(BrokerError.outOfOrder)
        case .fenced:
            _ = broker.initProducer(id)
            return run()
        case .fatal: return BrokerError.fatal
        case .refused(let refusal): return BrokerError.requiresAbort(BrokerError.refused(refusal))
        }
    }
}
