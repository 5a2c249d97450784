import Testing

@testable import SagamoreGRPC

@Suite struct MessageInflaterTests {
    private let text = Array("a booking, a booking, a booking, and one more booking".utf8)
    /// The text, compressed by gzip.
    private let packed: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x54, 0x48, 0xca, 0xcf, 0xcf, 0xce,
        0xcc, 0x4b, 0xd7, 0x51, 0x48, 0xc4, 0xce, 0xcc, 0x4b, 0x51, 0xc8, 0xcf, 0x4b, 0x55, 0xc8, 0xcd, 0x2f,
        0x4a, 0x85, 0x89, 0x02, 0x00, 0x05, 0x86, 0x07, 0x09, 0x35, 0x00, 0x00, 0x00,
    ]

    private func inflate(_ bytes: [UInt8], limit: Int = 1_000) throws(GRPCStatus) -> [UInt8] {
        let inflater = MessageInflater(limit: limit)
        do {
            let message = try bytes.withUnsafeBytes { try inflater.inflate($0, .gzip) }
            defer { message.deallocate() }
            return Array(message)
        } catch let error as GRPCStatus {
            throw error
        } catch {
            throw GRPCStatus(.unknown, "\(error)")
        }
    }

    @Test func inflatesAMessage() throws {
        #expect(try inflate(packed) == text)
        #expect(try inflate(packed, limit: text.count) == text)
    }

    @Test func refusesMessagesAboveTheLimit() {
        #expect(throws: GRPCStatus(.resourceExhausted, "grpc: received message after decompression larger than max 52"))
        {
            try inflate(packed, limit: text.count - 1)
        }
        // A size in the trailer that does not match the content is an error.
        var small = packed
        small[small.count - 4] = 1
        #expect(throws: GRPCStatus.self) { try inflate(small) }
        var huge = packed
        huge[huge.count - 1] = 0xFF
        #expect(throws: GRPCStatus.self) { try inflate(huge) }
    }

    @Test func damagedBytesAreAnError() {
        for index in packed.indices {
            var damaged = packed
            damaged[index] ^= 0xFF
            // Time, flags and system in the header do not affect the content.
            if let bytes = try? inflate(damaged) { #expect(bytes == text && index < 10, "byte \(index)") }
            #expect(throws: GRPCStatus.self, "cut at \(index)") { try inflate(Array(packed[..<index])) }
        }
    }
}
