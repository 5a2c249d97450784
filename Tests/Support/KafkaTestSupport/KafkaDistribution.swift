internal import Glibc

/// An unpacked Apache Kafka (4.x), and the setup of a single node.
struct KafkaDistribution: Sendable {
    /// The folder that contains `libs/`.
    let home: String

    /// The distribution that `SAGAMORE_TEST_KAFKA_HOME` names; nil when it is not set.
    static var fromEnvironment: KafkaDistribution? {
        guard let home = getenv("SAGAMORE_TEST_KAFKA_HOME").map({ String(cString: $0) }), !home.isEmpty else {
            return nil
        }
        return KafkaDistribution(home: home)
    }

    /// The node's configuration: a combined broker and controller without replication, and with short timeouts.
    func properties(
        folder: String,
        port: UInt16,
        controllerPort: UInt16,
        secure: (port: UInt16, security: KafkaSecurity)?,
        settings: [String: String]
    ) -> String {
        var all = [
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": "1@127.0.0.1:\(controllerPort)",
            "controller.listener.names": "CONTROLLER",
            "listeners": "PLAINTEXT://127.0.0.1:\(port),CONTROLLER://127.0.0.1:\(controllerPort)",
            "advertised.listeners": "PLAINTEXT://127.0.0.1:\(port)",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": "\(folder)/data",
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "broker.heartbeat.interval.ms": "500",
            "broker.session.timeout.ms": "3000",
        ]
        for topic in ["offsets.topic", "transaction.state.log", "share.coordinator.state.topic"] {
            all["\(topic).replication.factor"] = "1"
            all["\(topic).num.partitions"] = "8"
        }
        for topic in ["transaction.state.log", "share.coordinator.state.topic"] { all["\(topic).min.isr"] = "1" }
        if let (port, security) = secure {
            all["listeners"]? += ",SECURE://127.0.0.1:\(port)"
            all["advertised.listeners"]? += ",SECURE://127.0.0.1:\(port)"
            all["listener.security.protocol.map"]? += ",SECURE:\(security.securityProtocol)"
            all.merge(security.settings) { $1 }
        }
        all.merge(settings) { $1 }
        return all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
    }

    /// The arguments of `java` that format a new node's folder.
    func format(_ properties: String, _ more: [String]) -> [String] {
        // A cluster id is 16 bytes in URL-safe Base64: 22 characters.
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        let id = String((0..<21).map { _ in alphabet.randomElement(using: &generator) ?? "A" }) + "A"
        return quiet("error", heap: "256m") + [
            "kafka.tools.StorageTool", "format", "--cluster-id", id, "--config", properties,
        ] + more
    }

    /// The arguments of `java` that run the node.
    func run(_ properties: String, heap: String) -> [String] {
        quiet("warn", heap: heap) + ["kafka.Kafka", properties]
    }

    private func quiet(_ level: String, heap: String) -> [String] {
        // Test nodes are short-lived: the optimizing compiler costs more than it gains.
        [
            "-Xmx\(heap)", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=\(level)", "-cp", "\(home)/libs/*",
        ]
    }
}
