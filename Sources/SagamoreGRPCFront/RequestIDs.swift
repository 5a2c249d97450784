internal import SagamoreEngine
internal import Synchronization

/// Gives ids to polls: random UUIDs, cut from a block of random bytes, since asking the system for each takes longer than
/// all the rest of a poll.
final class RequestIDs: Sendable {
    private struct Block {
        var words: [UInt64] = []
    }

    private let block = Mutex(Block())

    /// A new id in the usual text form of a UUID.
    func next() -> String {
        let (high, low) = block.withLock { block in
            if block.words.count < 2 {
                var generator = SystemRandomNumberGenerator()
                block.words = (0..<Self.wordsInBlock).map { _ in generator.next() }
            }
            return (block.words.removeLast(), block.words.removeLast())
        }
        // Version 4, variant 1: random.
        let versioned = RunID(high: high & ~0xF000 | 0x4000, low: low & ~(0b11 << 62) | 0b10 << 62)
        return versioned.description
    }

    private static let wordsInBlock = 512
}
