import SagamoreProtobuf
import Testing

@Suite struct WriterTests {
    @Test func fieldsStandInTheReverseOrderOfWriting() {
        var writer = ProtobufWriter()
        writer.string(2, "b")
        writer.int64(1, 300)
        #expect(writer.bytes() == [0x08, 0xAC, 0x02, 0x12, 0x01, 0x62])
        #expect(writer.count == 6)
        writer.removeAll()
        #expect(writer.bytes() == [])
    }

    @Test func everyKindOfField() {
        func bytes(_ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
            var writer = ProtobufWriter()
            write(&writer)
            return writer.bytes()
        }
        let minusOne = [UInt8](repeating: 0xFF, count: 9) + [0x01]
        #expect(bytes { $0.int32(1, -1) } == [0x08] + minusOne)
        #expect(bytes { $0.int64(1, -1) } == [0x08] + minusOne)
        #expect(bytes { $0.uint32(1, .max) } == [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
        #expect(bytes { $0.uint64(1, 128) } == [0x08, 0x80, 0x01])
        #expect(bytes { $0.sint32(1, -2) } == [0x08, 0x03])
        #expect(bytes { $0.sint64(1, .min) } == [0x08] + minusOne)
        #expect(bytes { $0.bool(1, true) } == [0x08, 0x01])
        #expect(bytes { $0.fixed32(1, 0x0102_0304) } == [0x0D, 4, 3, 2, 1])
        #expect(bytes { $0.sfixed32(1, -2) } == [0x0D, 0xFE, 0xFF, 0xFF, 0xFF])
        #expect(bytes { $0.fixed64(1, 1) } == [0x09, 1, 0, 0, 0, 0, 0, 0, 0])
        #expect(bytes { $0.sfixed64(1, -1) } == [0x09] + [UInt8](repeating: 0xFF, count: 8))
        #expect(bytes { $0.float(1, 1) } == [0x0D, 0, 0, 0x80, 0x3F])
        #expect(bytes { $0.double(1, 1.5) } == [0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F])
        #expect(bytes { $0.bytes(1, [7]) } == [0x0A, 1, 7])
        #expect(bytes { $0.string(536_870_911, "") } == [0xFA, 0xFF, 0xFF, 0xFF, 0x0F, 0])
        #expect(bytes { $0.string(1, ["a", "b"]) } == [0x0A, 1, 0x61, 0x0A, 1, 0x62])
        #expect(bytes { $0.message(1, ProtobufDuration(seconds: 3, nanos: 0)) } == [0x0A, 2, 8, 3])
        #expect(bytes { $0.message(1, ProtobufDuration?.none) } == [])
        #expect(bytes { $0.message(1, RawMessage(ProtobufDuration(seconds: 3, nanos: 0))) } == [0x0A, 2, 8, 3])
    }

    @Test func defaultsAreOmittedOnlyWhereAsked() {
        var writer = ProtobufWriter()
        writer.int32(1, omittingDefault: 0)
        writer.int64(1, omittingDefault: 0)
        writer.uint32(1, omittingDefault: 0)
        writer.uint64(1, omittingDefault: 0)
        writer.sint32(1, omittingDefault: 0)
        writer.sint64(1, omittingDefault: 0)
        writer.fixed32(1, omittingDefault: 0)
        writer.fixed64(1, omittingDefault: 0)
        writer.sfixed32(1, omittingDefault: 0)
        writer.sfixed64(1, omittingDefault: 0)
        writer.float(1, omittingDefault: 0)
        writer.double(1, omittingDefault: 0)
        writer.bool(1, omittingDefault: false)
        writer.string(1, omittingDefault: "")
        writer.bytes(1, omittingDefault: [])
        #expect(writer.count == 0)
        writer.double(1, omittingDefault: -0.0)
        #expect(writer.bytes() == [0x09, 0, 0, 0, 0, 0, 0, 0, 0x80])
        writer.removeAll()
        writer.string(1, "")
        #expect(writer.bytes() == [0x0A, 0])
    }

    @Test(arguments: [1, 16, 100, 5_000, 1_000_000])
    func growsAsMuchAsIsWritten(size: Int) throws {
        var writer = ProtobufWriter(capacity: 1)
        let large = [UInt8](repeating: 0x61, count: size)
        for _ in 0..<3 { writer.bytes(1, large) }
        let bytes = writer.bytes()
        writer.withBytes { #expect(Array($0) == bytes) }
        let lengths = try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in
            var lengths: [Int] = []
            while try reader.nextTag() != nil {
                let slice = try reader.slice()
                #expect(slice.allSatisfy { $0 == 0x61 })
                lengths.append(slice.count)
            }
            return lengths
        }
        #expect(lengths == [size, size, size])
    }

    @Test func lengthsOfNestedMessagesAreKnownWhenTheyAreWritten() {
        var writer = ProtobufWriter()
        writer.string(3, "after")
        let outer = writer.count
        let inner = writer.count
        writer.bytes(1, [UInt8](repeating: 1, count: 200))
        writer.lengthDelimited(2, since: inner)
        writer.lengthDelimited(1, since: outer)
        let bytes = writer.bytes()
        #expect(bytes.prefix(9) == [0x0A, 0xCE, 0x01, 0x12, 0xCB, 0x01, 0x0A, 0xC8, 0x01])
        #expect(bytes.count == 9 + 200 + 7)
    }
}
