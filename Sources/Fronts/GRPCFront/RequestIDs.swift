internal import Glibc
internal import SagamoreEngine
internal import SagamoreThreads

/// Generates ids for polls: random UUIDs, taken from a block of random bytes. A system call for each id would take
/// longer than the rest of a poll.
final class RequestIDs: Sendable {
    private struct Block {
        var words: [UInt64] = []
    }

    private let block = Locked(Block())

    /// A new id in the usual text form of a UUID.
    func next() -> String {
        let (high, low) = block.withLock { block in
            if block.words.count < 2 {
                block.words = Self.randomWords()
            }
            return (block.words.removeLast(), block.words.removeLast())
        }
        // Version 4, variant 1: random.
        let versioned = RunID(high: high & ~0xF000 | 0x4000, low: low & ~(0b11 << 62) | 0b10 << 62)
        return versioned.description
    }

    /// Fills a block in as few system calls as possible: each returns at most 256 bytes.
    private static func randomWords() -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: 4 * wordsInCall) { buffer, count in
            count = buffer.count / wordsInCall * wordsInCall
            for start in stride(from: 0, to: count, by: wordsInCall) {
                let status = getentropy(buffer.baseAddress.map { $0 + start }, wordsInCall * 8)
                precondition(status == 0, "the system gives no random bytes: error \(errno)")
            }
        }
    }

    private static let wordsInCall = 32
}
