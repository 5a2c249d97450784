import Foundation
import SagamoreJSONText
import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamoreProgramTestSupport
import Testing

extension ProgramTests {
    /// `dev` and the commands against an Apache Kafka cluster, as in production.
    @Suite(.serialized, .enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
    struct ApacheKafkaTests {
        @Test func devWaitsForAnUnreachableClusterAndCreatesItsTopics() throws {
            let kafka = try TemporaryKafka()
            kafka.stop()
            let folder = try TemporaryFolder()
            let data = folder.path + "/data"
            let program = try RunningProgram(
                ["dev", "--port", "0", "--ephemeral", "--data-dir", data, "--kafka-bootstrap", kafka.bootstrap]
            )
            try program.wait(until: { program.errors.contains("Kafka cannot be reached, retrying") })
            #expect(!program.output.contains("is ready"))
            try kafka.restart()
            try program.wait(until: { program.output.contains("Ctrl-C stops everything.") })

            let admin = try KafkaAdmin(KafkaConfiguration(bootstrap: kafka.bootstrap))
            let topics = ["saga.commands", "saga.events", "saga.commands.dlq", "sagamore.cursors"]
            for (topic, count) in try admin.partitionCounts(topics) {
                #expect(try count.get() == (topic == "sagamore.cursors" ? 16 : 8), "\(topic)")
            }
            let place = ["--data-dir", data]
            let start = ["--command-id", "1", "--workflow-id", "w", "--workflow", "None", "--task-queue", "none"]
            #expect(try sagamore(["command", "publish"] + start + place).status == 0)
            let end = ["--command-id", "2", "--workflow-id", "w", "--command", "terminate", "--wait"]
            let ended = try sagamore(["command", "publish"] + end + place)
            #expect(ended.status == 0, "\(ended.errors)")
            let tail = try sagamore(
                ["events", "tail", "--command-id", "1", "-o", "json", "--follow", "--count", "2"] + place
            )
            #expect(
                try tail.lines.map { try JSONValue.parse($0)["status"]?.string } == ["accepted", "terminated"]
            )
            let missing = try sagamore(["events", "tail", "--topic", "nowhere"] + place)
            #expect(missing.status == 1)
            #expect(missing.errors.contains("topic 'nowhere' does not exist on \(kafka.bootstrap)"))
            let lost = try sagamore(["command", "publish", "--topic", "nowhere"] + start + place)
            #expect(lost.status == 1)
            #expect(lost.errors.contains("topic 'nowhere' does not exist"))
            program.signal(SIGINT)
            #expect(program.status() == 0)
            kafka.stop()
        }
    }
}
