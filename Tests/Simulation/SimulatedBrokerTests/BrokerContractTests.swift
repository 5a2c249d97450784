import SagamoreEngine
import SagamoreKafkaClient
import SagamoreKafkaFront
import SagamoreKafkaTestSupport
import SagamoreSimulatedBroker
import SagamoreSimulatedTime
import Testing

/// The same script runs against Apache Kafka and against the simulated cluster, and gets the same answers.
@Suite(.serialized, .enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
struct BrokerContractTests {
    private static let apache = Result { try TemporaryKafka() }

    private func compare(_ script: (BrokerScript) throws -> Void) throws {
        let real = BrokerScript(try ApacheCluster(Self.apache.get()))
        let simulated = BrokerScript(SimulatedCluster())
        try script(real)
        try script(simulated)
        #expect(!real.answers.isEmpty)
        for (index, (theirs, ours)) in zip(real.answers, simulated.answers).enumerated() {
            #expect(theirs == ours, "answer \(index)")
        }
        #expect(real.answers.count == simulated.answers.count)
    }

    @Test func `committed records and offsets are visible, aborted ones are not`() throws {
        try compare { script in
            script.createTopic("events", partitions: 4)
            script.createTopic("cursors", partitions: 2)
            let producer = try script.producer("id")
            producer.initTransactions()
            producer.begin()
            for number in 1...9 { producer.produce("events", "key-\(number)", "\(number)") }
            producer.sendOffsets("group", "cursors", 1, 9, "metadata, π")
            producer.commit()
            script.committedOffset("group", "cursors", 1)
            producer.begin()
            producer.produce("events", "key-1", "aborted")
            producer.flush()
            producer.sendOffsets("group", "cursors", 1, 10, "no")
            producer.abort()
            script.committedOffset("group", "cursors", 1)
            script.committedOffset("group", "cursors", 0)
            script.committedOffset("another", "cursors", 1)
            producer.begin()
            producer.produce("events", "key-2", "last")
            producer.sendOffsets("group", "cursors", 1, 11, "")
            producer.commit()
            script.committedOffset("group", "cursors", 1)
            try script.read("events", count: 10)
        }
    }

    @Test func `a zombie is fenced, whatever it calls, and the cursor is final`() throws {
        try compare { script in
            script.createTopic("events", partitions: 1)
            script.createTopic("cursors", partitions: 1)
            for call in ["commit", "abort", "sendOffsets", "flush", "begin"] {
                let zombie = try script.producer("id")
                zombie.initTransactions()
                if call != "begin" {
                    zombie.begin()
                    zombie.produce("events", "key", "zombie")
                    zombie.flush()
                    zombie.sendOffsets("group", "cursors", 0, 100, "zombie")
                }
                let owner = try script.producer("id")
                owner.initTransactions()
                script.committedOffset("group", "cursors", 0)
                switch call {
                case "commit": zombie.commit()
                case "abort": zombie.abort()
                case "sendOffsets":
                    zombie.sendOffsets("other", "cursors", 0, 101, "zombie")
                    zombie.commit()
                case "flush":
                    zombie.flush()
                    zombie.commit()
                default:
                    zombie.begin()
                    zombie.produce("events", "key", "zombie")
                    zombie.commit()
                }
                zombie.begin()
                owner.begin()
                owner.produce("events", "key", call)
                owner.commit()
            }
            try script.read("events", count: 5)
        }
    }

    @Test func `refused records are named, and the transaction must be aborted`() throws {
        try compare { script in
            script.createTopic("small", partitions: 1, settings: ["max.message.bytes": "2000"])
            script.createTopic(
                "timely",
                partitions: 1,
                settings: ["message.timestamp.before.max.ms": "60000", "message.timestamp.after.max.ms": "60000"]
            )
            script.createTopic("cursors", partitions: 1)
            let large = String(repeating: "x", count: 5_000)
            for refused in ["small", "timely"] {
                let producer = try script.producer("id-" + refused)
                producer.initTransactions()
                producer.begin()
                producer.produce(refused, "key", refused == "small" ? large : "late", record: 7, age: 3_600_000)
                producer.flush()
                producer.failures()
                producer.sendOffsets("group", "cursors", 0, 1, "")
                producer.commit()
                producer.commit()
                producer.abort()
                script.committedOffset("group", "cursors", 0)
            }
            let producer = try script.producer("id-huge")
            producer.initTransactions()
            producer.begin()
            producer.produce("small", "key", String(repeating: "x", count: 11 << 20), record: 8)
            producer.failures()
            producer.produce("small", "key", "fits", record: 9)
            producer.sendOffsets("group", "cursors", 0, 2, "")
            producer.commit()
            script.committedOffset("group", "cursors", 0)
            try script.read("small", count: 1)
        }
    }

    @Test func `a missing topic fails the transaction, and calls in a wrong order are refused`() throws {
        try compare { script in
            script.createTopic("events", partitions: 1)
            let producer = try script.producer("id")
            producer.begin()
            producer.commit()
            producer.initTransactions()
            producer.commit()
            producer.abort()
            producer.produce("events", "key", "early")
            producer.begin()
            producer.begin()
            producer.initTransactions()
            producer.produce("missing", "key", "1", record: 3)
            producer.flush()
            producer.failures()
            producer.sendOffsets("group", "events", 0, 1, "")
            producer.commit()
            producer.commit()
            producer.abort()
            producer.begin()
            producer.sendOffsets("group", "missing", 0, 1, "")
            producer.abort()
            producer.begin()
            producer.produce("events", "key", "2")
            producer.commit()
            try script.read("events", count: 1)
        }
    }

    @Test func `topics are created, counted and given partitions`() throws {
        try compare { script in
            script.createTopic("first", partitions: 3)
            script.createTopic("first", partitions: 8)
            script.partitionCount("first")
            script.partitionCount("missing")
            script.createPartitions("first", total: 5)
            script.partitionCount("first")
            script.createPartitions("first", total: 5)
            script.createPartitions("missing", total: 5)
        }
    }

    @Test func `members share topics by ranges, and go on where others have committed`() throws {
        try compare { script in
            script.createTopic("a", partitions: 3)
            script.createTopic("b", partitions: 3)
            let producer = try script.producer("id")
            producer.initTransactions()
            func write(_ value: String) {
                producer.begin()
                producer.produce("a", value, value)
                producer.commit()
            }
            let first = try script.member("group", of: ["a", "b"])
            script.wait("has all") { first.assigned == ["a[0]", "a[1]", "a[2]", "b[0]", "b[1]", "b[2]"] }
            for value in ["1", "2", "3"] { write(value) }
            script.wait("has read") { first.values.sorted() == ["1", "2", "3"] }
            let second = try script.member("group", of: ["a", "b"])
            let halves = [["a[0]", "a[1]", "b[0]", "b[1]"], ["a[2]", "b[2]"]]
            script.wait("halves") { [first.assigned, second.assigned].sorted { $0.count > $1.count } == halves }
            for value in ["4", "5", "6"] { write(value) }
            script.wait("has read") { (first.values + second.values).sorted() == ["1", "2", "3", "4", "5", "6"] }
            first.close()
            script.note("\(first.assigned) \(first.isLost)")
            script.wait("has all") { second.assigned.count == 6 }
            for value in ["7", "8", "9"] { write(value) }
            script.wait("has read") { first.values.count + second.values.count == 9 }
            second.close()
            let third = try script.member("group", of: ["a"])
            script.wait("has one topic") { third.assigned == ["a[0]", "a[1]", "a[2]"] }
            write("10")
            script.wait("has read") { third.values == ["10"] }
            third.close()
        }
    }
}
