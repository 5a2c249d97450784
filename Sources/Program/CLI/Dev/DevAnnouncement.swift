internal import SagamoreServer

/// What `sagamore dev` prints when it is ready.
struct DevAnnouncement {
    let file: DevFile
    let configuration: DevConfiguration
    let dataFolder: String

    var text: String {
        var lines = ["Sagamore \(SagamoreVersion.current) is ready."]
        func add(_ name: String, _ value: String) {
            lines.append("  " + name.padded(to: 12) + value)
        }
        let names = configuration.namespaces.joined(separator: ", ")
        add("gRPC", "\(file.grpc) (namespaces: \(names))")
        if let http = file.http { add("Metrics", "http://\(http)/metrics") }
        if let kafka = file.kafka {
            let kind =
                configuration.kafkaBootstrap == nil
                ? " (development broker: librdkafka clients only, in memory)" : ""
            add("Kafka", kafka + kind)
        }
        if configuration.postgresURL == nil {
            add("PostgreSQL", file.postgres)
        } else {
            add("PostgreSQL", "set by --postgres")
        }
        add("Data", dataFolder + (configuration.isEphemeral ? " (removed at exit)" : ""))
        lines.append("Ctrl-C stops everything.")
        return lines.joined(separator: "\n") + "\n"
    }

    func print() {
        StandardOutput.write(text)
    }
}
