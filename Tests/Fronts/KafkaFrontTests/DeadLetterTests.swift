import SagamoreEngine
import SagamoreKafkaClient
import SagamoreServices
import Testing

@testable import SagamoreKafkaFront

struct DeadLetterTests {
    private let reader = makeReader()

    @Test(arguments: [
        ("", "INVALID_JSON"), ("nonsense", "INVALID_JSON"), ("{", "INVALID_JSON"),
        (#"{"command_id":"a""#, "INVALID_JSON"),
        (#"{"command_id":"a"} x"#, "INVALID_JSON"), (#"{"command_id":"a",}"#, "INVALID_JSON"),
        ("[]", "NOT_AN_OBJECT"), ("5", "NOT_AN_OBJECT"), (#""text""#, "NOT_AN_OBJECT"), ("null", "NOT_AN_OBJECT"),
        ("{}", "NO_COMMAND_ID"), (#"{"command_id":""}"#, "NO_COMMAND_ID"), (#"{"command_id":5}"#, "NO_COMMAND_ID"),
        (#"{"command_id":null}"#, "NO_COMMAND_ID"), (#"{"command_id":"a\u0000"}"#, "NO_COMMAND_ID"),
        (#"{"command_id":"a","command_id":"a"}"#, "NO_COMMAND_ID"),
        (#"{"command_id":"\#(String(repeating: "x", count: 256))"}"#, "NO_COMMAND_ID"),
        (#"{"command_id":"\#(String(repeating: "ä", count: 256))"}"#, "NO_COMMAND_ID"),
        (#"{"command_id":"a","x":\#(String(repeating: "[", count: 5_000))}"#, "INVALID_JSON"),
        (nested(129), "INVALID_JSON"), (#"{"command_id":"a","input":"\ud800"}"#, "INVALID_JSON"),
    ])
    func `an unreadable record becomes a dead letter`(_ text: String, _ code: String) throws {
        let headers = [KafkaHeader("mine", text: "v"), KafkaHeader("none", nil)]
        let record = record(text, headers: headers)
        guard case .deadLetter(let letter) = reader.read(record, at: someTime) else { throw NotThis("a command") }
        #expect(letter.topic == "saga.commands.dlq")
        #expect(letter.key == record.key)
        #expect(letter.value == record.value)
        #expect(letter.headers.prefix(2).map(\.name) == ["mine", "none"])
        #expect(letter.headers[1].value == nil, "null is not empty")
        #expect(letter.header("error.code") == code)
        #expect(letter.header("error.message")?.isEmpty == false)
        #expect(letter.header("source.topic") == "saga.commands")
        #expect(letter.header("source.partition") == "3")
        #expect(letter.header("source.offset") == "17")
        #expect(letter.header("failed.at") == "2026-03-01T12:34:56.789Z")
    }

    /// A command with `levels` nested objects and arrays.
    private static func nested(_ levels: Int) -> String {
        let arrays = levels - 1
        return #"{"command_id":"a","input":"# + String(repeating: "[", count: arrays)
            + String(repeating: "]", count: arrays) + "}"
    }

    @Test func `128 levels of nesting are accepted`() throws {
        #expect(try reader.command(Self.nested(128)).origin.commandID == "a")
    }

    @Test func `malformed UTF-8 and a missing value become dead letters`() throws {
        for bytes in [Array(#"{"command_id":""#.utf8) + [0xFF, 0x22, 0x7D], [0xFF, 0xFE], [0]] {
            guard case .deadLetter(let letter) = reader.read(record(bytes: bytes), at: someTime) else {
                throw NotThis("a command")
            }
            #expect(letter.value == bytes)
            #expect(letter.header("error.code") == "INVALID_JSON")
        }
        guard case .deadLetter(let letter) = reader.read(record(bytes: nil), at: someTime) else {
            throw NotThis("a command")
        }
        #expect(letter.value == nil)
        #expect(letter.header("error.code") == "NO_VALUE")
    }

    @Test func `ids of 255 characters are accepted whatever their bytes`() throws {
        for character in ["x", "ä", "😀"] {
            let id = String(repeating: character, count: 255)
            #expect(try reader.command(#"{"command_id":"\#(id)","workflow_id":"w"}"#).origin.commandID == id)
        }
    }

    /// Valid records with changed, removed and doubled bytes. Reading must not trap, and what it accepts must stay
    /// within the database's bounds.
    @Test func `mutated records never trap and stay within bounds`() throws {
        let seeds: [(String, [KafkaHeader])] = [
            (
                #"{"command_id":"2","command":"start","workflow":"T","workflow_id":"2_3","order_id":"2","#
                    + #""input":[1,{"a":"\u00e4\ud83d\ude00"}],"input_is_arguments":true,"#
                    + #""options":{"run_timeout":"1h2m3.5s","memo":{"a":[1,"x"]},"#
                    + #""id_reuse_policy":"ALLOW_DUPLICATE"},"v":1.5e3}"#,
                [KafkaHeader("traceparent", text: "00-11-22-01")]
            ),
            (
                #"{"specversion":"1.0","id":"7","type":"com.x.start","source":"/s","#
                    + #""data":{"workflow":"W","order_id":1,"input":{}}}"#,
                [KafkaHeader("content-type", text: "application/cloudevents+json; charset=UTF-8")]
            ),
            (
                #"{"signal":"go","workflow_id":"w","command":"signal","input":"x"}"#,
                [KafkaHeader("ce_id", text: "9"), KafkaHeader("ce_type", text: "signal")]
            ),
        ]
        var random = SplitMix(state: 42)
        var commands = 0
        var letters = 0
        var refused = 0
        for round in 0..<30_000 {
            let (text, headers) = seeds[round % seeds.count]
            var bytes = Array(text.utf8)
            for _ in 0..<Int(random.next() % 4) where !bytes.isEmpty {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 5 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 20)))
                default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 15)], at: place)
                }
            }
            switch reader.read(record(bytes: bytes, headers: headers), at: someTime) {
            case .command(let command):
                commands += 1
                if case .refuse = command.action { refused += 1 }
                #expect((1...255).contains(command.origin.commandID.unicodeScalars.count))
                #expect((1...1_020).contains(command.key.workflowID.utf8.count))
                #expect(!command.key.workflowID.utf8.contains(0))
            case .deadLetter(let letter):
                letters += 1
                #expect(letter.value == bytes)
            }
        }
        // The test is meaningful only if every kind occurred.
        #expect(commands > 3_000 && letters > 3_000 && refused > 300, "\(commands) \(letters) \(refused)")
    }
}

/// A generator with the same numbers in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
