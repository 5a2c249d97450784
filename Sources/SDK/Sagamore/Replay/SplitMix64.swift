internal import FoundationEssentials

/// A small random number generator that gives the same numbers for the same seed, in every process and version.
struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// The seed is the FNV-1a hash of a text.
    init(text: String) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x0000_0100_0000_01b3
        }
        state = hash
    }

    mutating func next() -> UInt64 {
        state = state &+ 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A UUID of version 4.
    mutating func uuid() -> UUID {
        func bytes(of word: UInt64) -> [UInt8] { withUnsafeBytes(of: word.bigEndian) { Array($0) } }
        let (one, two) = (bytes(of: next()), bytes(of: next()))
        return UUID(
            uuid: (
                one[0], one[1], one[2], one[3], one[4], one[5], one[6] & 0x0f | 0x40, one[7],
                two[0] & 0x3f | 0x80, two[1], two[2], two[3], two[4], two[5], two[6], two[7]
            )
        )
    }
}

extension UUID {
    /// As Temporal writes ids.
    var lowercaseText: String { uuidString.lowercased() }
}
