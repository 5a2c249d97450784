import SagamoreProtobuf
import Testing

/// Reads `bytes` with `body` and returns its value or error.
func reading<Value>(
    _ bytes: [UInt8],
    _ body: (inout ProtobufReader) throws(ProtobufError) -> Value
) -> Result<Value, ProtobufError> {
    Result { () throws(ProtobufError) in try ProtobufReader.read(bytes, body) }
}

@Suite struct ReaderTests {
    @Test(
        arguments: [
            ([0x00], 0), ([0x7F], 127), ([0x80, 0x01], 128), ([0xAC, 0x02], 300), ([0x80, 0x00], 0),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], UInt64.max),
            // Bits of the tenth byte beyond 64 are dropped.
            ([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F], 1 << 63),
        ] as [([UInt8], UInt64)]
    )
    func varint(bytes: [UInt8], value: UInt64) {
        #expect(reading(bytes) { (reader) throws(ProtobufError) in try reader.varint() } == .success(value))
    }

    @Test func varintOfElevenBytesIsMalformed() {
        let bytes = [UInt8](repeating: 0x80, count: 10) + [0x00]
        #expect(reading(bytes) { (reader) throws(ProtobufError) in try reader.varint() } == .failure(.malformedVarint))
    }

    @Test func lengthOfSixBytesIsMalformed() {
        func length(_ bytes: [UInt8]) -> Result<[UInt8], ProtobufError> {
            reading(bytes) { (reader) throws(ProtobufError) in try reader.bytes() }
        }
        #expect(length([0x81, 0x80, 0x80, 0x80, 0x00, 7]) == .success([7]))
        #expect(length([0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 7]) == .failure(.malformedVarint))
    }

    @Test func tagOfSixBytesIsNoTag() {
        func tag(_ bytes: [UInt8]) -> Result<UInt32?, ProtobufError> {
            reading(bytes) { (reader) throws(ProtobufError) in try reader.nextTag() }
        }
        #expect(tag([0x8A, 0x80, 0x80, 0x80, 0x00]) == .success(10))
        #expect(tag([0x8A, 0x80, 0x80, 0x80, 0x80, 0x00]) == .failure(.invalidTag))
    }

    @Test(arguments: 0..<10)
    func varintThatEndsTooEarlyIsTruncated(count: Int) {
        let bytes = [UInt8](repeating: 0x80, count: count)
        #expect(reading(bytes) { (reader) throws(ProtobufError) in try reader.varint() } == .failure(.truncated))
    }

    @Test func signsAndWidths() {
        let minusOne = [UInt8](repeating: 0xFF, count: 9) + [0x01]
        #expect(reading(minusOne) { (reader) throws(ProtobufError) in try reader.int32() } == .success(-1))
        #expect(reading(minusOne) { (reader) throws(ProtobufError) in try reader.int64() } == .success(-1))
        #expect(reading(minusOne) { (reader) throws(ProtobufError) in try reader.uint32() } == .success(.max))
        #expect(reading(minusOne) { (reader) throws(ProtobufError) in try reader.bool() } == .success(true))
        #expect(reading(minusOne) { (reader) throws(ProtobufError) in try reader.sint32() } == .success(.min))
        #expect(reading(minusOne) { (reader) throws(ProtobufError) in try reader.sint64() } == .success(.min))
        #expect(reading([0x03]) { (reader) throws(ProtobufError) in try reader.sint32() } == .success(-2))
        #expect(
            reading([1, 0, 0, 0x80]) { (reader) throws(ProtobufError) in try reader.fixed32() } == .success(0x8000_0001)
        )
        #expect(reading([1, 0, 0]) { (reader) throws(ProtobufError) in try reader.fixed32() } == .failure(.truncated))
        let double: [UInt8] = [0, 0, 0, 0, 0, 0, 0xF8, 0x3F]
        #expect(reading(double) { (reader) throws(ProtobufError) in try reader.double() } == .success(1.5))
        #expect(
            reading(Array(double.dropLast())) { (reader) throws(ProtobufError) in try reader.double() }
                == .failure(.truncated)
        )
    }

    @Test(
        arguments: [
            [0x00], [0x07],  // field 0
            [0x80, 0x80, 0x80, 0x80, 0x10],  // more than 32 bits
        ] as [[UInt8]]
    )
    func tagWithoutAFieldNumberIsInvalid(bytes: [UInt8]) {
        #expect(reading(bytes) { (reader) throws(ProtobufError) in try reader.nextTag() } == .failure(.invalidTag))
    }

    @Test func largestFieldNumber() {
        let bytes: [UInt8] = [0xF8, 0xFF, 0xFF, 0xFF, 0x0F]
        let number = reading(bytes) { (reader) throws(ProtobufError) in
            _ = try reader.nextTag()
            return reader.fieldNumber
        }
        #expect(number == .success(536_870_911))
    }

    @Test func emptyBytesHaveNoTag() throws {
        #expect(reading([]) { (reader) throws(ProtobufError) in try reader.nextTag() } == .success(nil))
        #expect(try ProtobufEmpty(serializedBytes: UnsafeRawBufferPointer(start: nil, count: 0)) == ProtobufEmpty())
    }

    @Test(
        arguments: [
            ([0x08, 0x96, 0x01], nil),
            ([0x09, 1, 2, 3, 4, 5, 6, 7, 8], nil),
            ([0x09, 1, 2, 3, 4, 5, 6, 7], .truncated),
            ([0x0A, 0x02, 0xFF, 0xFF], nil),
            ([0x0A, 0x03, 0xFF, 0xFF], .truncated),
            ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], .truncated),
            ([0x0B, 0x0C], nil),  // an empty group
            ([0x0B, 0x10, 0x01, 0x13, 0x14, 0x0C], nil),  // a field and a group in a group
            ([0x0B, 0x10, 0x01], .truncated),
            ([0x0B, 0x14], .invalidWireType(field: 2)),  // the end of another group
            ([0x0C], .invalidWireType(field: 1)),  // an end without a beginning
            ([0x0D, 1, 2, 3, 4], nil),
            ([0x0D, 1, 2, 3], .truncated),
            ([0x0E], .invalidWireType(field: 1)),
            ([0x0F], .invalidWireType(field: 1)),
        ] as [([UInt8], ProtobufError?)]
    )
    func skip(bytes: [UInt8], error: ProtobufError?) throws {
        let skipped = reading(bytes) { (reader) throws(ProtobufError) in
            _ = try reader.nextTag()
            try reader.skip()
            return reader.isAtEnd
        }
        #expect(skipped == (error.map { .failure($0) } ?? .success(true)))
        // An unknown field is skipped the same way, and kept.
        let message = Result { () throws(ProtobufError) in try ProtobufEmpty(serializedBytes: bytes) }
        #expect(message.map { $0.unknownFields } == (error.map { .failure($0) } ?? .success(bytes)))
    }

    /// As protobuf's own readers do: field 0 is an error in a message, and not in a group that is skipped.
    @Test func fieldZeroIsSkippedInGroupsOnly() throws {
        #expect(throws: ProtobufError.invalidTag) { try ProtobufEmpty(serializedBytes: [0x00, 0x00]) }
        #expect(throws: Never.self) { try ProtobufEmpty(serializedBytes: [0x8b, 0x00, 0x00, 0x00, 0x0c]) }
    }

    @Test func groupsAreNestedAtMostAHundredDeep() {
        func groups(_ count: Int) -> [UInt8] {
            [UInt8](repeating: 0x0B, count: count) + [UInt8](repeating: 0x0C, count: count)
        }
        #expect(throws: Never.self) { try ProtobufEmpty(serializedBytes: groups(100)) }
        #expect(throws: ProtobufError.depthExceeded) { try ProtobufEmpty(serializedBytes: groups(101)) }
        #expect(throws: ProtobufError.depthExceeded) { try RawMessage<ProtobufEmpty>(checking: groups(101)) }
        // Independent of the stack: a million groups end as early.
        #expect(throws: ProtobufError.depthExceeded) { try ProtobufEmpty(serializedBytes: groups(1_000_000)) }
    }

    @Test func framesAreWalkedWithoutDecoding() throws {
        // Three fields: 1 "ab", 2 7, 1 "c".
        let bytes: [UInt8] = [0x0A, 0x02, 0x61, 0x62, 0x10, 0x07, 0x0A, 0x01, 0x63]
        let frames = try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in
            var frames: [[Int]] = []
            while !reader.isAtEnd {
                let start = reader.offset
                _ = try reader.nextTag()
                let value = reader.offset
                try reader.skip()
                frames.append([reader.fieldNumber, start, value, reader.offset, reader.remaining])
            }
            return frames
        }
        #expect(frames == [[1, 0, 1, 4, 5], [2, 4, 5, 6, 3], [1, 6, 7, 9, 0]])
    }

    @Test func leavingANestedMessageGoesOnBehindIt() throws {
        let bytes: [UInt8] = [0x0A, 0x04, 0x08, 0x01, 0x10, 0x02, 0x18, 0x03]
        let numbers = try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in
            var numbers: [Int] = []
            while try reader.nextTag() != nil {
                numbers.append(reader.fieldNumber)
                if reader.wireType == .lengthDelimited {
                    let scope = try reader.enter()
                    _ = try reader.nextTag()
                    numbers.append(reader.remaining)
                    reader.leave(scope)
                } else {
                    try reader.skip()
                }
            }
            return numbers
        }
        #expect(numbers == [1, 3, 3])
    }

    @Test(
        arguments: [
            ([0x61, 0xC3, 0xA9, 0xE2, 0x98, 0x83, 0xF0, 0x9D, 0x84, 0x9E], true),
            ([0x00], true),
            (Array("twelve bytes".utf8), true),
            (Array("eight by".utf8) + [0xC3, 0xA9], true),
            (Array("eight by".utf8) + [0xC3], false),
            ([0x80], false),
            ([0xC0, 0x80], false),  // too long a form of NUL
            ([0xED, 0xA0, 0x80], false),  // a surrogate
            ([0xF4, 0x90, 0x80, 0x80], false),  // beyond Unicode
            ([0xFF], false),
        ] as [([UInt8], Bool)]
    )
    func stringsAreUTF8(text: [UInt8], isValid: Bool) throws {
        var writer = ProtobufWriter()
        writer.lengthDelimited(1, text)
        let bytes = writer.bytes()
        let decoded = Result { () throws(ProtobufError) in try ProtobufFieldMask(serializedBytes: bytes) }
        let checked = Result { () throws(ProtobufError) in try RawMessage<ProtobufFieldMask>(checking: bytes) }
        if isValid {
            #expect(try Array(decoded.get().paths[0].utf8) == text)
            #expect(try checked.get().bytes == bytes)
        } else {
            #expect(decoded == .failure(.invalidUTF8(field: 1)))
            #expect(checked == .failure(.invalidUTF8(field: 1)))
        }
    }
}
