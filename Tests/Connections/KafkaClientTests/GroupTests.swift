import SagamoreKafkaClient
import Synchronization
import Testing

extension BrokerTests {
    @Suite(.serialized) struct GroupTests {
        @Test(arguments: Cluster.all)
        func `a second member takes half, after the first has committed what it read`(
            cluster: Cluster
        ) async throws {
            let configuration = try cluster.configuration()
            let topic = try cluster.topic("shared", partitions: 4)
            let group = Names.next("group")
            for partition in 0..<4 {
                try write(configuration, to: topic, partition: Int32(partition), (0..<100).map { "\(partition)-\($0)" })
            }
            // On Apache Kafka only the revocation can commit: the interval never ends. The development broker refuses
            // commits while a group changes, so there the interval has to.
            let admin = try KafkaAdmin(configuration)
            let first = try Reader(
                configuration,
                group: group,
                topics: [topic],
                commitInterval: cluster == .apache ? .seconds(3600) : .milliseconds(50),
                onRevoked: { $0.consumer?.commit($0.seen.next) }
            )
            try await wait(for: "400 records") { first.seen.records.count >= 400 }
            #expect(first.seen.assigned.count == 4)
            if cluster == .development {
                first.consumer?.commit(first.seen.next)
                try await wait(for: "the commit") {
                    try admin.committedOffsets(group: group, Array(first.seen.assigned)).values.map(\.offset)
                        == [100, 100, 100, 100]
                }
            }

            let second = try Reader(configuration, group: group, topics: [topic])
            try await wait(for: "two partitions each") {
                first.seen.assigned.count == 2 && second.seen.assigned.count == 2
            }
            let revocations = first.seen.revocations
            // The development broker may change a group more than once while a member joins.
            if cluster == .apache { #expect(revocations.count == 1) }
            #expect(!revocations.isEmpty)
            #expect(revocations.first?.lost == false)
            #expect(revocations.first?.partitions.count == 4)
            let all = Set((0..<4).map { KafkaPartition(topic: topic, partition: $0) })
            #expect(first.seen.assigned.union(second.seen.assigned) == all)

            for partition in 0..<4 { try write(configuration, to: topic, partition: Int32(partition), ["more"]) }
            try await wait(for: "one more of each partition") {
                first.seen.records.count + second.seen.records.count >= 404
            }
            #expect(second.seen.values == ["more", "more"])
            #expect(first.seen.records.count == 402)
            if cluster == .apache { #expect(first.seen.errors + second.seen.errors == []) }

            second.close()
            try await wait(for: "all partitions back") { first.seen.assigned == all }
            #expect(second.seen.assigned.isEmpty)
        }

        @Test(arguments: Cluster.all)
        func `offsets are committed within the interval, and closing commits the rest`(cluster: Cluster) async throws {
            let configuration = try cluster.configuration()
            let admin = try KafkaAdmin(configuration)
            let topic = try cluster.topic("offsets")
            let group = Names.next("group")
            let partition = KafkaPartition(topic: topic, partition: 0)
            try write(configuration, to: topic, ["0", "1", "2"])
            #expect(try admin.committedOffset(group: group, partition) == nil)

            let reader = try Reader(configuration, group: group, topics: [topic])
            try await wait(for: "three records") { reader.seen.records.count == 3 }
            // One after the other: an answer that nobody hears would hold the next commit up for the 10 s that it may
            // take.
            let began = ContinuousClock.now
            for offset in [Int64(1), 2] {
                reader.consumer?.commit([partition: offset])
                try await wait(for: "offset \(offset) on the broker") {
                    try admin.committedOffset(group: group, partition)?.offset == offset
                }
            }
            #expect(ContinuousClock.now - began < .seconds(10))
            reader.close()

            let patient = try Reader(configuration, group: group, topics: [topic], commitInterval: .seconds(3600))
            try await wait(for: "the record after the offset") { patient.seen.values == ["2"] }
            patient.consumer?.commit([partition: 3])
            patient.close()
            #expect(try admin.committedOffset(group: group, partition)?.offset == 3)
            #expect(patient.seen.assigned.isEmpty, "closing revokes")
            patient.consumer?.commit([partition: 1])
            patient.close()
        }

        @Test(arguments: Cluster.all)
        func `a paused partition stops and the others go on`(cluster: Cluster) async throws {
            let configuration = try cluster.configuration()
            let topic = try cluster.topic("paused", partitions: 2)
            let (full, other) = (KafkaPartition(topic: topic, partition: 0), KafkaPartition(topic: topic, partition: 1))
            let values = (0..<20_000).map { "\($0)" }
            try write(configuration, to: topic, partition: 0, values)

            // Pauses with the first batch, from the handler: nothing more arrives, though all has long been fetched.
            let reader = try Reader(
                configuration,
                topics: [topic],
                onRecords: { reader, records in
                    if reader.seen.batches.count == 1 { reader.consumer?.pause([full]) }
                }
            )
            try await wait(for: "the first batch") { !reader.seen.records.isEmpty }
            try write(configuration, to: topic, partition: 1, ["other"])
            try await wait(for: "the record of the other partition") { reader.seen.values.contains("other") }
            // A second one, to be sure that a whole fetch went by.
            try write(configuration, to: topic, partition: 1, ["another"])
            try await wait(for: "another record") { reader.seen.values.contains("another") }
            #expect(reader.seen.records.count { $0.partition == 0 } <= 500)
            #expect(reader.seen.batches.count == 3)
            #expect(reader.seen.caughtUp[full] == nil)

            reader.consumer?.resume([full])
            try await wait(for: "all records") { reader.seen.records.count >= 20_002 }
            let ordered = reader.seen.records.filter { $0.partition == 0 }.map(\.offset)
            #expect(ordered == Array(0..<20_000), "each record once and in order")
            try await wait(for: "its end") { reader.seen.caughtUp[full] == 20_000 }
            reader.consumer?.pause([other])
            reader.close()
        }

        @Test(arguments: Cluster.all)
        func `pausing and resuming all the time loses and repeats nothing`(cluster: Cluster) async throws {
            let configuration = try cluster.configuration()
            let topic = try cluster.topic("flapping")
            let partition = KafkaPartition(topic: topic, partition: 0)
            try write(configuration, to: topic, (0..<5_000).map { "\($0)" })
            let reader = try Reader(
                configuration,
                topics: [topic],
                onRecords: { reader, _ in
                    reader.consumer?.pause([partition])
                }
            )
            let deadline = ContinuousClock.now + .seconds(60)
            while reader.seen.records.count < 5_000, ContinuousClock.now < deadline {
                reader.consumer?.resume([partition])
                try await Task.sleep(for: .milliseconds(3))
            }
            #expect(reader.seen.records.map(\.offset) == Array(0..<5_000))
        }

        @Test(arguments: Cluster.all)
        func `a partition that comes back is not paused any more`(cluster: Cluster) async throws {
            let configuration = try cluster.configuration()
            let topic = try cluster.topic("comes-back")
            let group = Names.next("group")
            let partition = KafkaPartition(topic: topic, partition: 0)
            let first = try Reader(configuration, group: group, topics: [topic])
            try write(configuration, to: topic, ["before"])
            try await wait(for: "a record") { first.seen.values == ["before"] }
            first.consumer?.commit(first.seen.next)
            try await wait(for: "its commit") {
                try KafkaAdmin(configuration).committedOffset(group: group, partition)?.offset == 1
            }
            first.consumer?.pause([partition])
            // A member that comes makes all partitions be given up and assigned anew.
            let second = try Reader(configuration, group: group, topics: [topic])
            try await wait(for: "the rebalance") {
                first.seen.assignments >= 2 && second.seen.assignments >= 1
            }
            try write(configuration, to: topic, ["after"])
            try await wait(for: "a record after the rebalance") {
                (first.seen.values + second.seen.values).contains("after")
            }
            #expect(first.seen.values + second.seen.values == ["before", "after"])
        }

        @Test(arguments: Cluster.all)
        func `reading can begin at the end`(cluster: Cluster) async throws {
            let configuration = try cluster.configuration()
            let topic = try cluster.topic("latest")
            try write(configuration, to: topic, ["old"])
            let reader = try Reader(configuration, topics: [topic], offsetReset: .latest)
            try await wait(for: "the end of the partition") { !reader.seen.caughtUp.isEmpty }
            try write(configuration, to: topic, ["new"])
            try await wait(for: "the new record") { !reader.seen.records.isEmpty }
            #expect(reader.seen.values == ["new"])
        }

        @Test(arguments: Cluster.all)
        func `a partition that comes back goes on where its reader says`(cluster: Cluster) async throws {
            let configuration = try cluster.configuration()
            let topic = try cluster.topic("goes-on", partitions: 4)
            let group = Names.next("group")
            func writeToAll(_ value: String) throws {
                for partition in 0..<4 { try write(configuration, to: topic, partition: Int32(partition), [value]) }
            }
            try writeToAll("old")
            let first = try Reader(
                configuration,
                group: group,
                topics: [topic],
                offsetReset: .latest,
                remembersPositions: true
            )
            try await wait(for: "the ends of the partitions") { first.seen.caughtUp.count == 4 }
            // Nothing is committed: where the two partitions that it gives up go on, only the reader knows.
            let second = try Reader(configuration, group: group, topics: [topic])
            try await wait(for: "two partitions each") {
                first.seen.assigned.count == 2 && second.seen.assigned.count == 2
            }
            try writeToAll("between")
            try await wait(for: "those of the second") { second.seen.values.count { $0 == "between" } >= 2 }
            second.close()
            try await wait(for: "each of them") { first.seen.values.count >= 4 }
            try writeToAll("after")
            try await wait(for: "what came after") { first.seen.values.count { $0 == "after" } == 4 }
            // Each once, also those that the second has read as well.
            #expect(first.seen.values.count { $0 == "between" } == 4)
            #expect(!first.seen.values.contains("old"))
        }

        @Test(arguments: Cluster.all)
        func `handlers may close their own consumer`(cluster: Cluster) async throws {
            let configuration = try cluster.configuration()
            let topic = try cluster.topic("closes-itself")
            let group = Names.next("group")
            try write(configuration, to: topic, ["0"])
            let reader = try Reader(
                configuration,
                group: group,
                topics: [topic],
                onRecords: { reader, _ in
                    reader.consumer?.commit(reader.seen.next)
                    reader.close()
                }
            )
            try await wait(for: "the revocation") { !reader.seen.revocations.isEmpty }
            reader.close()
            let offset = try KafkaAdmin(configuration).committedOffset(
                group: group,
                KafkaPartition(topic: topic, partition: 0)
            )
            #expect(offset?.offset == 1)
        }
    }
}
