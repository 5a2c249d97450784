internal import Glibc

/// A text as a key: equal only to one with the same bytes.
///
/// `String` takes "é" for equal to "e" with an accent behind it. For PostgreSQL and for other servers of the contract
/// these are two ids.
public struct ExactText: Hashable, Sendable {
    /// The text as it was given.
    public let text: String

    /// Text that equals only text of the same bytes.
    public init(_ text: String) {
        self.text = text
    }

    public static func == (left: ExactText, right: ExactText) -> Bool { left.text.hasSameBytes(as: right.text) }

    public func hash(into hasher: inout Hasher) { hasher.combine(bytesOf: text) }
}

extension String {
    /// Whether both texts are the same bytes in UTF-8. Every look-up of a key asks, so the bytes are compared in place.
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
    /// Puts the bytes of a text in, and an end that no text holds: so two texts are known from two others that are the
    /// same put together.
    public mutating func combine(bytesOf text: String) {
        var text = text
        text.withUTF8 { self.combine(bytes: UnsafeRawBufferPointer($0)) }
        self.combine(0xFF as UInt8)
    }
}
