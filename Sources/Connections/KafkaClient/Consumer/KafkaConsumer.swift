internal import CSagamoreRdKafka
internal import SagamoreThreads

/// A member of a consumer group, with a thread of its own that polls continuously.
///
/// Nothing is committed automatically: the application calls ``commit(_:)`` with the next offset to read. The thread
/// never stops polling, or the group would revoke its partitions; use ``pause(_:)`` for flow control. A short pause is
/// cheap: about 1,000 records of a paused partition are kept and delivered by ``resume(_:)``; beyond that, fetching
/// stops.
///
/// Where the group has committed offsets, a topic that is deleted and created again is detected by their disappearance
/// and read from its beginning. The stored offsets are verified before each commit.
///
/// Partitions are assigned by the eager *range* strategy: on a rebalance every member gives up all partitions.
/// librdkafka before 2.4 can hang or crash on closing with the cooperative strategy, and the short interruption loses
/// nothing when records are deduplicated by their coordinates. The property `partition.assignment.strategy` changes it;
/// both protocols are supported.
public final class KafkaConsumer: Sendable {
    /// The records of transactions that are read.
    public enum Isolation: String, Sendable {
        /// Records of committed transactions, and those written outside of transactions.
        case readCommitted = "read_committed"
        /// All records.
        case readUncommitted = "read_uncommitted"
    }

    /// Where to start in a partition for which the group has no offset, or an offset that no longer exists.
    public enum OffsetReset: String, Sendable {
        /// At the oldest record.
        case earliest
        /// After the newest record.
        case latest
        /// Nowhere. `error` is called.
        case error
    }

    /// Callbacks. All are called on the consumer's thread, one at a time.
    public struct Handlers: Sendable {
        /// Records, in order within each partition, about 500 or 4 MiB at a time (1,000 after a pause). It must not
        /// block for long.
        public var records: @Sendable ([KafkaRecord]) -> Void
        /// Partitions that were assigned to this member; they are not paused.
        public var assigned: @Sendable ([KafkaPartition]) -> Void
        /// Partitions that are given up when this returns. Offsets committed until then are still sent to the broker,
        /// unless the partitions are `lost`: then another member may own them already.
        public var revoked: @Sendable (_ partitions: [KafkaPartition], _ lost: Bool) -> Void
        /// The topic of these partitions was deleted and created again. They are read from their beginning, and their
        /// offsets mean other records. Detected only where the group has committed offsets.
        public var restarted: @Sendable ([KafkaPartition]) -> Void
        /// These offsets were removed from a partition before they were read, by retention or by deletion.
        public var removed: (@Sendable (_ partition: KafkaPartition, _ offsets: Range<Int64>) -> Void)?
        /// Errors. Only one that is ``KafkaError/isFatal`` stops the consumer; librdkafka retries after all others.
        public var error: @Sendable (KafkaError) -> Void
        /// All records of a partition have been delivered; `offset` is the next one. May be called repeatedly.
        public var caughtUp: (@Sendable (_ partition: KafkaPartition, _ offset: Int64) -> Void)?
        /// The offset to start at in a partition that is about to be assigned. Nil stands for the group's committed
        /// offset, or else the offset reset.
        public var start: (@Sendable (_ partition: KafkaPartition) -> Int64?)?

        /// Creates handlers. Omitted ones do nothing.
        public init(
            records: @escaping @Sendable ([KafkaRecord]) -> Void,
            assigned: @escaping @Sendable ([KafkaPartition]) -> Void = { _ in },
            revoked: @escaping @Sendable (_ partitions: [KafkaPartition], _ lost: Bool) -> Void = { _, _ in },
            restarted: @escaping @Sendable ([KafkaPartition]) -> Void = { _ in },
            removed: (@Sendable (_ partition: KafkaPartition, _ offsets: Range<Int64>) -> Void)? = nil,
            error: @escaping @Sendable (KafkaError) -> Void = { _ in },
            caughtUp: (@Sendable (_ partition: KafkaPartition, _ offset: Int64) -> Void)? = nil,
            start: (@Sendable (_ partition: KafkaPartition) -> Int64?)? = nil
        ) {
            self.records = records
            self.assigned = assigned
            self.revoked = revoked
            self.restarted = restarted
            self.removed = removed
            self.error = error
            self.caughtUp = caughtUp
            self.start = start
        }
    }

    private let inbox: ConsumerInbox
    private let thread: SystemThread

    /// Joins `group` for `topics`, which may not exist yet.
    ///
    /// - Parameters:
    ///   - commitInterval: the minimum time between commits to the broker.
    ///   - bufferedKilobytes: how much librdkafka prefetches, for all partitions together.
    /// - Throws: ``KafkaError`` when a property is unknown or invalid, or when no thread can be started. An unreachable
    ///   broker is not an error here.
    public init(
        _ configuration: KafkaConfiguration,
        group: String,
        topics: [String],
        handlers: Handlers,
        isolation: Isolation = .readCommitted,
        offsetReset: OffsetReset = .earliest,
        commitInterval: Duration = .milliseconds(100),
        bufferedKilobytes: Int = 32 * 1024
    ) throws(KafkaError) {
        let client = try ClientHandle(
            RD_KAFKA_CONSUMER,
            configuration,
            defaults: [
                "partition.assignment.strategy": "range",
                // A dead member is noticed after 10 s, a rebalance within 1 s.
                "session.timeout.ms": "10000",
                "heartbeat.interval.ms": "1000",
                // A resumed or assigned partition waits for the current fetch, so keep fetches short.
                "fetch.wait.max.ms": "100",
                "fetch.error.backoff.ms": "100",
                "queued.max.messages.kbytes": String(bufferedKilobytes),
            ],
            fixed: [
                "group.id": group,
                "isolation.level": isolation.rawValue,
                "auto.offset.reset": offsetReset.rawValue,
                "enable.auto.commit": "false",
                "enable.auto.offset.store": "false",
                "enable.partition.eof": handlers.caughtUp == nil ? "false" : "true",
            ],
            events: RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_REBALANCE
                | RD_KAFKA_EVENT_OFFSET_COMMIT,
            callbacks: ClientCallbacks(log: configuration.log)
        )
        let inbox = try ConsumerInbox(client)
        let failure = PartitionList.lend(topics.map { KafkaPartition(topic: $0, partition: RD_KAFKA_PARTITION_UA) }) {
            rd_kafka_subscribe(client.pointer, $0)
        }
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(failure) }
        self.inbox = inbox
        do throws(ThreadError) {
            thread = try SystemThread("kafka-consumer") {
                ConsumerLoop(inbox, handlers, commitInterval: commitInterval).run()
                inbox.hasEnded.change { $0 = true }
            }
        } catch {
            throw KafkaError(error)
        }
    }

    /// Stops delivery from these partitions: immediately when called in a handler, otherwise after the current batch.
    /// Lasts until ``resume(_:)`` or until the partition is revoked.
    public func pause(_ partitions: some Sequence<KafkaPartition>) {
        if inbox.mailbox.pause(partitions, true) { inbox.wake() }
    }

    /// Resumes delivery from these partitions.
    public func resume(_ partitions: some Sequence<KafkaPartition>) {
        if inbox.mailbox.pause(partitions, false) { inbox.wake() }
    }

    /// Commits the next offset to read of each partition. Returns immediately; the offset is sent to the broker within
    /// the commit interval, and before a partition is given up. Offsets of unassigned partitions are ignored, and so
    /// are offsets lower than before (but see ``forgetOffsets(of:)``).
    public func commit(_ offsets: [KafkaPartition: Int64]) {
        inbox.mailbox.commit(offsets)
    }

    /// The offset after the newest record that the broker had when this consumer last fetched from the partition; nil
    /// before that. Asks nobody.
    public func endOffset(of partition: KafkaPartition) -> Int64? {
        var (first, end): (Int64, Int64) = (0, 0)
        let code = rd_kafka_get_watermark_offsets(
            inbox.client.pointer,
            partition.topic,
            partition.partition,
            &first,
            &end
        )
        return code == RD_KAFKA_RESP_ERR_NO_ERROR && end >= 0 ? end : nil
    }

    /// Forgets the committed offsets of these partitions because they went back (a topic was recreated, a log was
    /// truncated): ``commit(_:)`` accepts lower ones from now on.
    public func forgetOffsets(of partitions: some Sequence<KafkaPartition>) {
        inbox.mailbox.forgetOffsets(of: partitions)
    }

    /// Gives up the partitions (calling `revoked`), sends pending commits, leaves the group and ends the thread. Waits
    /// for that, about 5 s when no broker answers; does not wait when called in a handler. May be repeated.
    public func close() {
        inbox.mailbox.close()
        inbox.wake()
        if !thread.isCurrent { _ = inbox.hasEnded.wait(atMost: .seconds(20), for: { $0 ? true : nil }) }
    }

    deinit { close() }
}

/// State shared by a consumer and its thread: the client, its queue, and the mailbox.
final class ConsumerInbox: Sendable {
    let client: ClientHandle
    // A queue is thread-safe, and the pointer never changes.
    nonisolated(unsafe) let queue: OpaquePointer
    let mailbox = ConsumerMailbox()
    let hasEnded = Monitor(false)

    init(_ client: ClientHandle) throws(KafkaError) {
        let failure = rd_kafka_poll_set_consumer(client.pointer)
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR, let queue = rd_kafka_queue_get_consumer(client.pointer) else {
            throw KafkaError(failure)
        }
        self.client = client
        self.queue = queue
    }

    deinit { rd_kafka_queue_destroy(queue) }

    /// Wakes the thread from its wait for records.
    func wake() { rd_kafka_queue_yield(queue) }
}
