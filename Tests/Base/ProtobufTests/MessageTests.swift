import SagamoreProtobuf
import Testing

@Suite struct MessageTests {
    @Test func unknownFieldsSurvive() throws {
        let timestamp = ProtobufTimestamp(seconds: 1_760_000_000, nanos: 5)
        let stranger: [UInt8] = [0x7A, 0x01, 0x61, 0x1B, 0x08, 0x01, 0x1C]  // field 15 and a group 3
        let bytes = stranger + timestamp.serializedBytes()

        let read = try ProtobufTimestamp(serializedBytes: bytes)
        #expect(read.seconds == timestamp.seconds)
        #expect(read.unknownFields == stranger)
        #expect(read.serializedBytes() == timestamp.serializedBytes() + stranger)
        #expect(read != timestamp)

        let empty = try ProtobufEmpty(serializedBytes: bytes)
        #expect(empty.serializedBytes() == bytes)
    }

    @Test func aFieldOfAnotherWireTypeIsUnknown() throws {
        let bytes: [UInt8] = [0x0A, 0x01, 0x61]  // seconds as a string
        let read = try ProtobufTimestamp(serializedBytes: bytes)
        #expect(read.seconds == 0)
        #expect(read.unknownFields == bytes)
        #expect(try RawMessage<ProtobufTimestamp>(checking: bytes).bytes == bytes)
    }

    @Test func theLastValueOfAScalarCounts() throws {
        #expect(try ProtobufDuration(serializedBytes: [0x08, 1, 0x08, 2]).seconds == 2)
    }

    @Test func appendedBytesAreThoseOfTheMessage() {
        var bytes: [UInt8] = [9]
        ProtobufDuration(seconds: 3, nanos: 0).append(to: &bytes)
        #expect(bytes == [9, 8, 3])
    }

    @Test func anyCarriesATypesName() throws {
        let packed = ProtobufAny(packing: ProtobufDuration(seconds: 3, nanos: 4))
        #expect(packed.typeURL == "type.googleapis.com/google.protobuf.Duration")
        #expect(packed.packedMessageName == "google.protobuf.Duration")
        #expect(try packed.unpacked(as: ProtobufDuration.self) == ProtobufDuration(seconds: 3, nanos: 4))
        #expect(try packed.unpacked(as: ProtobufTimestamp.self) == nil)

        var broken = packed
        broken.value = [0x08]
        #expect(throws: ProtobufError.truncated) { try broken.unpacked(as: ProtobufDuration.self) }
        broken.typeURL = "google.protobuf.Duration"
        #expect(broken.packedMessageName == "google.protobuf.Duration")
        broken.typeURL = "a/"
        #expect(broken.packedMessageName == "")
    }

    @Test func errorsAreReadable() {
        #expect(ProtobufError.invalidUTF8(field: 3).description == "protobuf: string field 3 is not UTF-8")
        #expect("\(ProtobufError.depthExceeded)".contains("100"))
    }
}

@Suite struct RawMessageTests {
    @Test func keepsTheBytesAsTheyAre() throws {
        let bytes: [UInt8] = [0x10, 0x80, 0x00, 0x08, 0x01]  // not in the order in which it would be written
        let raw = try RawMessage<ProtobufDuration>(checking: bytes)
        #expect(raw.bytes == bytes)
        #expect(try raw.decoded() == ProtobufDuration(seconds: 1, nanos: 0))
        #expect(raw != RawMessage(ProtobufDuration(seconds: 1, nanos: 0)))
        #expect(try RawMessage<ProtobufDuration>().decoded() == ProtobufDuration())
    }

    @Test func refusesWhatCannotBeDecoded() {
        #expect(throws: ProtobufError.truncated) { try RawMessage<ProtobufDuration>(checking: [0x08]) }
        #expect(throws: ProtobufError.invalidTag) { try RawMessage<ProtobufDuration>(checking: [0x00]) }
        #expect(throws: ProtobufError.truncated) { try RawMessage<ProtobufDuration>(uncheckedBytes: [0x08]).decoded() }
    }
}

@Suite struct TableTests {
    private struct Level: ProtobufEnum {
        var rawValue: Int32
        static let protobufNames = ProtobufEnumNames("LEVEL_", "0 NONE 2 HIGH 2 TALL -1 BELOW")
    }

    @Test func enumNames() {
        #expect(Level(rawValue: 2).description == "LEVEL_HIGH")
        #expect(Level(rawValue: 7).description == "7")
        #expect(Level(protobufName: "LEVEL_TALL") == Level(rawValue: 2))
        #expect(Level(protobufName: "LEVEL_BELOW")?.rawValue == -1)
        #expect(Level(protobufName: "HIGH") == nil)
        #expect(Level.protobufNames.entries.map(\.name) == ["LEVEL_NONE", "LEVEL_HIGH", "LEVEL_TALL", "LEVEL_BELOW"])
    }

    @Test func fieldsOfAMessage() throws {
        let fields = ProtobufFields(
            "1s name 2*m links 3<se levels 500?i priority",
            messages: [ProtobufEmpty.self],
            enums: [Level.self]
        )
        #expect(fields.fields.map(\.name) == ["name", "links", "levels", "priority"])
        let links = try #require(fields[2])
        #expect(links.isRepeated && links.kind == .message && links.message == ProtobufEmpty.self)
        let levels = try #require(fields[3]?.mapEntry)
        #expect(levels[1]?.kind == .string && levels[2]?.enumeration == Level.self)
        #expect(fields[500]?.hasPresence == true && fields[500]?.isRepeated == false)
        #expect(fields[4] == nil && fields[501] == nil && fields[0] == nil)
    }
}
