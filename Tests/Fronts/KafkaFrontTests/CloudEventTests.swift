import SagamoreKafkaClient
import SagamoreServices
import Testing

@testable import SagamoreKafkaFront

struct CloudEventTests {
    private let reader = makeReader()

    private func binary(_ id: String, _ type: String) -> [KafkaHeader] {
        [
            KafkaHeader("ce_specversion", text: "1.0"), KafkaHeader("ce_id", text: id),
            KafkaHeader("ce_type", text: type),
            KafkaHeader("ce_source", text: "/shop"), KafkaHeader("content-type", text: "application/json"),
        ]
    }

    private let structured = [KafkaHeader("content-type", text: "Application/CloudEvents+JSON; charset=UTF-8")]

    @Test(arguments: ["start", "com.shop.saga.start"])
    func `events in binary mode are read`(_ type: String) throws {
        let command = try reader.command(#"{"workflow":"W","order_id":"o"}"#, headers: binary("e1", type))
        #expect(command.origin.commandID == "e1")
        #expect(command.key.workflowID == "e1")
        #expect(command.origin.correlation.text == #""order_id":"o""#)
        guard case .start = command.action else { throw NotThis("\(command.action)") }
        let cancel = try reader.command(#"{"workflow_id":"w"}"#, headers: binary("e2", "cancel"))
        guard case .cancel = cancel.action else { throw NotThis("\(cancel.action)") }
    }

    @Test func `a type that names no command is rejected`() throws {
        let refusal = try reader.refusal("{}", headers: binary("e1", "com.shop.order.placed"))
        #expect(refusal.code == "INVALID_ARGUMENT")
        #expect(refusal.message.hasPrefix("type:"))
        let named = try reader.command(#"{"command":"start"}"#, headers: binary("e1", "com.shop.order.placed"))
        guard case .start = named.action else { throw NotThis("\(named.action)") }
    }

    @Test func `events in structured mode are read`() throws {
        let text = """
            {"specversion":"1.0","id":"e3","type":"signal","source":"/shop","traceparent":"00-1-2-01",
             "data":{"workflow_id":"w","signal":"go","order_id":7}}
            """
        let command = try reader.command(text, headers: structured)
        #expect(command.origin.commandID == "e3")
        #expect(command.key.workflowID == "w")
        #expect(command.origin.correlation.text == #""order_id":7"#)
        #expect(command.origin.headers.map(\.value.text) == ["00-1-2-01"])
        guard case .signal(let signal, nil) = command.action else { throw NotThis("\(command.action)") }
        #expect(signal.name == "go")
        let bare = try reader.command(#"{"specversion":"1.0","id":"e4","type":"start"}"#, headers: structured)
        guard case .start = bare.action else { throw NotThis("\(bare.action)") }
    }

    @Test(arguments: [#""data":"text""#, #""data":[1]"#, #""data_base64":"AAAA""#])
    func `data other than an object is rejected`(_ data: String) throws {
        let refusal = try reader.refusal(#"{"id":"e","type":"start",\#(data)}"#, headers: structured)
        #expect(refusal.message.hasPrefix("data:"))
    }

    @Test(arguments: [
        ("data", #""type":"start","data":{"order_id":1},"data":{"order_id":2}"#),
        ("data", #""type":"start","data":{"order_id":1},"data":null"#),
        ("type", #""type":"start","type":"cancel","data":{}"#),
    ])
    func `a duplicate attribute is refused`(_ name: String, _ attributes: String) throws {
        let refusal = try reader.refusal(#"{"id":"e",\#(attributes)}"#, headers: structured)
        #expect(refusal.code == "INVALID_ARGUMENT")
        #expect(refusal.message.hasPrefix("\(name): "))
        #expect(refusal.message.contains("more than once"))
    }

    @Test(arguments: [
        #"{"type":"start","data":{"command_id":"a"}}"#, #"{"id":"","type":"start"}"#, #"{"id":5,"type":"start"}"#,
        #"{"id":"a","id":"b","type":"start"}"#, "[]", "{",
    ])
    func `an event without an id becomes a dead letter`(_ text: String) throws {
        guard case .deadLetter = reader.read(record(text, headers: structured), at: someTime) else {
            throw NotThis("a command")
        }
    }

    @Test func `a binary event with a malformed id becomes a dead letter`() throws {
        let headers = [KafkaHeader("ce_id", [0xFF]), KafkaHeader("ce_type", text: "start")]
        guard case .deadLetter = reader.read(record(#"{"command_id":"a"}"#, headers: headers), at: someTime) else {
            throw NotThis("a command")
        }
    }
}
