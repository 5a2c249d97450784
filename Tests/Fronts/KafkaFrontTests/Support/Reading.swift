import SagamoreAPI
import SagamoreEngine
import SagamoreKafkaClient
import SagamoreServices
import Testing

@testable import SagamoreKafkaFront

/// A reader that knows the namespaces `default` (1) and `other` (2).
func makeReader(_ route: Route = Route(workflowType: "Booking", taskQueue: "bookings")) -> CommandReader {
    CommandReader(route: route, limits: LimitsInForce(), cluster: "cluster-1") { name in
        ["default": 1, "other": 2][name]
    }
}

func record(_ value: String, headers: [KafkaHeader] = []) -> KafkaRecord {
    record(bytes: Array(value.utf8), headers: headers)
}

func record(bytes: [UInt8]?, headers: [KafkaHeader] = []) -> KafkaRecord {
    KafkaRecord(
        topic: "saga.commands",
        partition: 3,
        offset: 17,
        key: Array("order-1".utf8),
        value: bytes,
        headers: headers
    )
}

let someTime = Instant(nanoseconds: 1_772_368_496_789_000_000)

extension CommandReader {
    func command(_ value: String, headers: [KafkaHeader] = []) throws -> IncomingCommand {
        guard case .command(let command) = read(record(value, headers: headers), at: someTime) else {
            throw NotThis("a dead letter instead of a command")
        }
        return command
    }

    func start(_ value: String, headers: [KafkaHeader] = []) throws -> StartWorkflowExecutionRequest {
        let command = try command(value, headers: headers)
        guard case .start(let start) = command.action else { throw NotThis("\(command.action)") }
        return start.request
    }

    func refusal(_ value: String, headers: [KafkaHeader] = []) throws -> (code: String, message: String) {
        let command = try command(value, headers: headers)
        guard case .refuse(let code, let message) = command.action else { throw NotThis("\(command.action)") }
        return (code, message)
    }
}

struct NotThis: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension OutboxRecord {
    func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
    }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}
