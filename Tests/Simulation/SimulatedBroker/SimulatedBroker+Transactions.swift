internal import SagamoreEngine
internal import SagamoreKafkaClient

/// What the cluster knows of a transactional id.
struct Coordinator {
    var epoch = 0
    var transaction: SimulatedTransaction?
    /// The end of the last transaction: its producer may ask for it again.
    var lastEnd: (epoch: Int, number: Int, isCommit: Bool)?
}

extension SimulatedBroker {
    /// A record on its way to a partition.
    struct Outgoing {
        let number: UInt64
        let partition: KafkaPartition
        let record: KafkaRecord

        /// Its size in a batch, about.
        var size: Int {
            let headers = record.headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) + 4 }
            return (record.key?.count ?? 0) + (record.value?.count ?? 0) + headers + 10
        }
    }

    /// Fences other producers of the id and ends their transaction.
    ///
    /// - Returns: the new producer's epoch.
    func initProducer(_ id: String) -> Int {
        end(id, committing: false)
        coordinators[id, default: Coordinator()].epoch += 1
        return coordinators[id]?.epoch ?? 0
    }

    /// Aborts transactions that are open for too long; their producers are fenced.
    func expireTransactions() {
        let now = now()
        for id in coordinators.keys.sorted() {
            guard let transaction = coordinators[id]?.transaction, transaction.state == .open,
                now - transaction.began > transaction.limit
            else { continue }
            end(id, committing: false)
            coordinators[id]?.epoch += 1
        }
    }

    private func join(_ id: String, _ epoch: Int, _ limit: Interval) throws(KafkaError) -> SimulatedTransaction {
        expireTransactions()
        guard coordinators[id]?.epoch == epoch else { throw BrokerError.fenced }
        if let open = coordinators[id]?.transaction { return open }
        let transaction = SimulatedTransaction(id, epoch: epoch, began: now(), limit: limit)
        coordinators[id]?.transaction = transaction
        return transaction
    }

    /// Writes a batch of one partition within the producer's transaction.
    ///
    /// - Returns: why the batch is refused.
    func write(
        _ batch: [Outgoing],
        by id: String,
        epoch: Int,
        limit: Interval
    ) throws(KafkaError) -> KafkaError? {
        guard let partition = batch.first?.partition else { return nil }
        let transaction = try join(id, epoch, limit)
        guard log(partition) != nil, let topic = topics[partition.topic] else { return BrokerError.unknownTopic }
        if !transaction.partitions.contains(partition) { transaction.partitions.append(partition) }
        if batch.reduce(61, { $0 + $1.size }) > topic.largestBatch { return BrokerError.refused(.tooLarge) }
        let now = milliseconds
        let isInTime = batch.allSatisfy { outgoing in
            let ahead = (outgoing.record.timestamp ?? now) - now
            return ahead <= topic.timestampsAhead && -ahead <= topic.timestampsBehind
        }
        guard isInTime else { return BrokerError.refused(.invalidTimestamp) }
        for outgoing in batch {
            topics[partition.topic]?.partitions[Int(partition.partition)].append(outgoing.record, transaction)
        }
        return nil
    }

    /// Adds a group's offsets to the producer's transaction.
    func addOffsets(
        _ offsets: [KafkaTransactionalProducer.Offset],
        group: String,
        by id: String,
        epoch: Int,
        limit: Interval
    ) throws(KafkaError) {
        let transaction = try join(id, epoch, limit)
        for offset in offsets {
            guard log(offset.partition) != nil else { throw BrokerError.requiresAbort(BrokerError.unknownTopic) }
            let stored = KafkaAdmin.CommittedOffset(offset: offset.offset, metadata: offset.metadata)
            transaction.offsets.append((group, offset.partition, stored))
        }
    }

    /// Ends the producer's transaction.
    ///
    /// - Parameter number: the producer's number of the transaction.
    func endTransaction(_ id: String, epoch: Int, number: Int, isCommit: Bool) throws(KafkaError) {
        expireTransactions()
        guard coordinators[id]?.epoch == epoch else { throw BrokerError.fenced }
        if let last = coordinators[id]?.lastEnd, last == (epoch, number, isCommit) { return }
        end(id, committing: isCommit)
        coordinators[id]?.lastEnd = (epoch, number, isCommit)
    }

    private func end(_ id: String, committing isCommit: Bool) {
        guard let transaction = coordinators[id]?.transaction else { return }
        coordinators[id]?.transaction = nil
        transaction.state = isCommit ? .committed : .aborted
        for partition in transaction.partitions where log(partition) != nil {
            topics[partition.topic]?.partitions[Int(partition.partition)].appendMarker()
        }
        if isCommit {
            for (group, partition, stored) in transaction.offsets where log(partition) != nil {
                groups[group, default: ConsumerGroup()].offsets[partition] = stored
            }
        }
        notifyObservers()
    }
}
