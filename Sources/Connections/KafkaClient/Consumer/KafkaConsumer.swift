internal import CSagamoreRdKafka
internal import SagamoreThreads

/// A member of a consumer group, with a thread of its own that polls all the time.
///
/// Nothing is committed by itself: whoever handles records calls ``commit(_:)`` with the next offset to read. The
/// thread never stops polling (the group would take its partitions away), so what is too much is held back by
/// ``pause(_:)``. A short pause costs nothing: about 1,000 records of a paused partition are kept and handed over by
/// ``resume(_:)``; past that it is no longer fetched.
///
/// Partitions are assigned by the eager *range* strategy: on a rebalance every member gives up all it has. librdkafka
/// before 2.4 can hang or crash on closing with the cooperative one, and records that are handled once and for all by
/// their coordinates lose nothing by the short stop. `partition.assignment.strategy` among the properties changes it;
/// both protocols are served.
public final class KafkaConsumer: Sendable {
    /// Which records of transactions are read.
    public enum Isolation: String, Sendable {
        /// Only those of committed transactions, and those written outside of any.
        case readCommitted = "read_committed"
        /// All.
        case readUncommitted = "read_uncommitted"
    }

    /// Where to begin in a partition for which the group has no offset, or one that is no longer there.
    public enum OffsetReset: String, Sendable {
        /// With the oldest record.
        case earliest
        /// With what comes from now on.
        case latest
        /// Nowhere: `error` is called.
        case error
    }

    /// What a consumer calls, each on its own thread, one at a time.
    public struct Handlers: Sendable {
        /// Records, in order within each partition, about 500 or 4 MiB at a time (1,000 after a pause). It must not
        /// block for long.
        public var records: @Sendable ([KafkaRecord]) -> Void
        /// Partitions that are this member's from now on; they are not paused.
        public var assigned: @Sendable ([KafkaPartition]) -> Void
        /// Partitions that are to be given up. They are, when this returns: what was committed until then is still
        /// written to the broker, unless they are `lost`, which means that another member may have them already.
        public var revoked: @Sendable (_ partitions: [KafkaPartition], _ lost: Bool) -> Void
        /// What went wrong. Only ``KafkaError/isFatal`` ends the consumer's work; the rest librdkafka tries again.
        public var error: @Sendable (KafkaError) -> Void
        /// All records of a partition have been handed over; `offset` is the next one. May be called again later.
        public var caughtUp: (@Sendable (_ partition: KafkaPartition, _ offset: Int64) -> Void)?
        /// Where to begin in a partition that is about to be assigned: the next offset to read. Nil leaves it to what
        /// the group has committed, and to the offset reset.
        public var start: (@Sendable (_ partition: KafkaPartition) -> Int64?)?

        /// Creates handlers; those that are left out do nothing.
        public init(
            records: @escaping @Sendable ([KafkaRecord]) -> Void,
            assigned: @escaping @Sendable ([KafkaPartition]) -> Void = { _ in },
            revoked: @escaping @Sendable (_ partitions: [KafkaPartition], _ lost: Bool) -> Void = { _, _ in },
            error: @escaping @Sendable (KafkaError) -> Void = { _ in },
            caughtUp: (@Sendable (_ partition: KafkaPartition, _ offset: Int64) -> Void)? = nil,
            start: (@Sendable (_ partition: KafkaPartition) -> Int64?)? = nil
        ) {
            self.records = records
            self.assigned = assigned
            self.revoked = revoked
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
    ///   - commitInterval: the time in which offsets gather before they are sent to the broker.
    ///   - bufferedKilobytes: how much librdkafka fetches ahead, for all partitions together.
    /// - Throws: ``KafkaError`` when a property is unknown or not valid, or when no thread can be started. An
    ///   unreachable broker is no error here.
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
                // A member that died is noticed after 10 s, and a rebalance within one.
                "session.timeout.ms": "10000",
                "heartbeat.interval.ms": "1000",
                // A partition that was resumed or assigned waits for the fetch that is under way: keep it short.
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

    /// Stops what arrives from these partitions: at once when called in a handler, else after the batch that is on its
    /// way. Lasts until ``resume(_:)`` or until the partition is revoked.
    public func pause(_ partitions: some Sequence<KafkaPartition>) {
        if inbox.mailbox.pause(partitions, true) { inbox.wake() }
    }

    /// Lets records of these partitions arrive again.
    public func resume(_ partitions: some Sequence<KafkaPartition>) {
        if inbox.mailbox.pause(partitions, false) { inbox.wake() }
    }

    /// Notes the next offset to read of each partition. Returns at once; the broker is told within the commit
    /// interval, and before a partition is given up. Offsets of partitions that are not assigned are ignored, and
    /// lower ones than before too (but see ``forgetOffsets(of:)``).
    public func commit(_ offsets: [KafkaPartition: Int64]) {
        inbox.mailbox.commit(offsets)
    }

    /// Forgets what is committed of these partitions, because their offsets went back (a topic was deleted and made
    /// anew, a log was cut): lower ones than before are taken by ``commit(_:)`` from now on.
    public func forgetOffsets(of partitions: some Sequence<KafkaPartition>) {
        inbox.mailbox.forgetOffsets(of: partitions)
    }

    /// Gives up the partitions (`revoked` is called), commits what is noted, leaves the group and ends the thread.
    /// Waits for that, some 5 s when no broker answers; from a handler it does not wait. May be repeated.
    public func close() {
        inbox.mailbox.close()
        inbox.wake()
        if !thread.isCurrent { _ = inbox.hasEnded.wait(atMost: .seconds(20), for: { $0 ? true : nil }) }
    }

    deinit { close() }
}

/// What a consumer and its thread share: the client, the queue on which it is woken, the mailbox.
final class ConsumerInbox: Sendable {
    let client: ClientHandle
    // librdkafka lets any thread use a queue, and the pointer never changes.
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

    /// Ends the thread's wait for records.
    func wake() { rd_kafka_queue_yield(queue) }
}
