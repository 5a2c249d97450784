internal import Glibc

/// Text as a key: equal only to text of the same UTF-8 bytes.
///
/// `String` compares by canonical equivalence: "é" as one scalar equals "e" followed by a combining accent. Protobuf,
/// PostgreSQL and other implementations of the contract compare bytes, and see two keys.
public struct ExactText: Hashable, Sendable {
    /// The text as given.
    public let text: String

    /// Makes a key of a text.
    @inlinable
    public init(_ text: String) {
        self.text = text
    }

    public static func == (left: ExactText, right: ExactText) -> Bool { left.text.hasSameBytes(as: right.text) }

    public func hash(into hasher: inout Hasher) { hasher.combine(bytesOf: text) }
}

extension ExactText: Comparable {
    /// The order of the bytes.
    public static func < (left: ExactText, right: ExactText) -> Bool {
        var (left, right) = (left.text, right.text)
        return left.withUTF8 { bytes in
            right.withUTF8 { otherBytes in
                // An empty text may have no address.
                guard let address = bytes.baseAddress, let other = otherBytes.baseAddress else {
                    return bytes.count < otherBytes.count
                }
                let order = memcmp(address, other, min(bytes.count, otherBytes.count))
                return order == 0 ? bytes.count < otherBytes.count : order < 0
            }
        }
    }
}

extension String {
    /// Whether both texts have the same UTF-8 bytes. Compares in place: every lookup of a key asks.
    public func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        var (left, right) = (self, other)
        return left.withUTF8 { bytes in
            right.withUTF8 { otherBytes in
                // An empty text may have no address.
                guard let address = bytes.baseAddress, let other = otherBytes.baseAddress else { return true }
                return memcmp(address, other, bytes.count) == 0
            }
        }
    }
}

extension Hasher {
    /// Feeds the bytes of a text, and a terminator that occurs in no text: two texts in a row hash differently from two
    /// others with the same concatenation.
    public mutating func combine(bytesOf text: String) {
        var text = text
        text.withUTF8 { self.combine(bytes: UnsafeRawBufferPointer($0)) }
        self.combine(0xFF as UInt8)
    }
}
