import SagamoreEngine
import SagamoreKafkaClient
import SagamoreSimulatedBroker
import SagamoreSimulatedTime
import Testing

/// A group's member of the simulated cluster.
struct SimulatedConsumerTests {
    private final class Member: @unchecked Sendable {
        var values: [String] = []
        var events: [String] = []
        let process: SimulatedProcess
        private(set) var close: () -> Void = {}
        private(set) var commit: (KafkaRecord) -> Void = { _ in }

        init(_ name: String, _ scheduler: Scheduler, _ broker: SimulatedBroker) throws {
            process = SimulatedProcess(name)
            let host = FrontHost(process, of: scheduler, broker: broker)
            let consumer = try host.environment.clients.consumer(
                KafkaConfiguration(bootstrap: "simulated"),
                group: "group",
                topics: ["topic"],
                handlers: KafkaConsumer.Handlers(
                    records: { [unowned self] records in
                        for record in records {
                            values.append(String(decoding: record.value ?? [], as: UTF8.self))
                            commit(record)
                        }
                    },
                    assigned: { [unowned self] in events.append("assigned \($0.map(\.partition))") },
                    revoked: { [unowned self] in events.append("revoked \($0.map(\.partition))\($1 ? ", lost" : "")") },
                    restarted: { [unowned self] in events.append("restarted \($0.map(\.partition))") },
                    removed: { [unowned self] in events.append("removed \($0.partition) \($1)") },
                    error: { [unowned self] in events.append("\($0.code)") }
                )
            )
            commit = { record in
                let partition = KafkaPartition(topic: record.topic, partition: record.partition)
                consumer.commit([partition: record.offset + 1])
            }
            close = { consumer.close() }
        }
    }

    private let scheduler = Scheduler(seed: 7)
    private let broker: SimulatedBroker

    init() {
        let scheduler = scheduler
        broker = SimulatedBroker { scheduler.now }
        broker.createTopic("topic", partitions: 2)
    }

    private func append(_ value: String, to partition: Int32 = 0) {
        broker.append(topic: "topic", key: nil, value: Array(value.utf8), partition: partition)
    }

    private func pass(_ interval: Interval) {
        let end = scheduler.now + interval
        while scheduler.now < end, scheduler.step() {}
    }

    @Test func `members share the partitions, and one that dies leaves them to the others`() throws {
        let first = try Member("first", scheduler, broker)
        pass(.seconds(2))
        #expect(first.events == ["assigned [0, 1]"])
        let second = try Member("second", scheduler, broker)
        pass(.seconds(3))
        #expect(first.events.suffix(2) == ["revoked [0, 1]", "assigned [0]"])
        #expect(second.events == ["assigned [1]"])
        append("a", to: 0)
        append("b", to: 1)
        pass(.seconds(1))
        #expect(first.values == ["a"] && second.values == ["b"])
        second.process.kill()
        append("c", to: 1)
        pass(.seconds(30))
        #expect(first.values == ["a", "c"], "b was committed")
        #expect(first.events.last == "assigned [0, 1]")
    }

    @Test func `a member that sleeps for too long has lost its partitions, and its commits are refused`() throws {
        let first = try Member("first", scheduler, broker)
        pass(.seconds(2))
        first.process.pause(until: scheduler.now + .seconds(20))
        let second = try Member("second", scheduler, broker)
        pass(.seconds(16))
        #expect(second.events == ["assigned [0, 1]"])
        pass(.seconds(10))
        #expect(first.events.contains("revoked [0, 1], lost"))
        #expect(first.events.last == "assigned [0]" || first.events.last == "assigned [1]")
    }

    @Test func `a topic that is made anew is read from its beginning`() throws {
        let member = try Member("member", scheduler, broker)
        pass(.seconds(2))
        for value in ["1", "2"] { append(value) }
        pass(.seconds(10))
        broker.deleteTopic("topic")
        broker.createTopic("topic", partitions: 2)
        for value in ["3", "4", "5"] { append(value) }
        pass(.seconds(10))
        #expect(member.events.contains("restarted [0]"))
        #expect(Set(member.values) == ["1", "2", "3", "4", "5"])
    }

    @Test func `records that were removed before they were read are reported`() throws {
        for value in ["1", "2", "3"] { append(value) }
        let member = try Member("member", scheduler, broker)
        pass(.seconds(3))
        member.process.kill()
        for value in ["4", "5", "6"] { append(value) }
        broker.removeRecords(of: KafkaPartition(topic: "topic", partition: 0), before: 5)
        let next = try Member("next", scheduler, broker)
        pass(.seconds(30))
        #expect(next.values == ["6"])
        #expect(next.events.contains("removed 0 3..<5"))
    }

    @Test func `a member that leaves has committed what it was given`() throws {
        let first = try Member("first", scheduler, broker)
        pass(.seconds(2))
        append("1")
        pass(.milliseconds(20))
        first.close()
        #expect(first.values == ["1"])
        #expect(broker.committedOffset(group: "group", KafkaPartition(topic: "topic", partition: 0))?.offset == 1)
        let second = try Member("second", scheduler, broker)
        pass(.seconds(1))
        #expect(second.events == ["assigned [0, 1]"] && second.values.isEmpty)
    }
}
