internal import SagamoreProtobuf

/// The id of a run: a UUID of version 7, whose first 48 bits are milliseconds, so that rows of new runs are adjacent in
/// every index.
public struct RunID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The upper 64 bits of the UUID: the time of version 7.
    public let high: UInt64
    /// The lower 64 bits of the UUID.
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Creates an id from the time and 74 random bits.
    public init(at now: Instant, random: (UInt64, UInt64)) {
        let milliseconds = UInt64(bitPattern: now.nanoseconds / 1_000_000) & 0xFFFF_FFFF_FFFF
        high = milliseconds << 16 | 0x7000 | (random.0 & 0x0FFF)
        low = 0x8000_0000_0000_0000 | (random.1 & 0x3FFF_FFFF_FFFF_FFFF)
    }

    /// Parses the usual text form: 8-4-4-4-12 hexadecimal digits.
    public init?(_ text: String) {
        var digits = 0
        var position = 0
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in text.utf8 {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                let digit: UInt64
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt64(byte - UInt8(ascii: "0"))
                case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = UInt64(byte - UInt8(ascii: "a") + 10)
                case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = UInt64(byte - UInt8(ascii: "A") + 10)
                default: return nil
                }
                if digits < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
                digits += 1
            }
            position += 1
        }
        guard position == 36, digits == 32 else { return nil }
        self.init(high: high, low: low)
    }

    public static func < (left: RunID, right: RunID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// Not Foundation's UUID, which takes thirty times as long.
    public var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            Self.write(high >> 32, digits: 8, to: buffer, at: &position)
            Self.writeDash(to: buffer, at: &position)
            Self.write(high >> 16, digits: 4, to: buffer, at: &position)
            Self.writeDash(to: buffer, at: &position)
            Self.write(high, digits: 4, to: buffer, at: &position)
            Self.writeDash(to: buffer, at: &position)
            Self.write(low >> 48, digits: 4, to: buffer, at: &position)
            Self.writeDash(to: buffer, at: &position)
            Self.write(low, digits: 12, to: buffer, at: &position)
            return position
        }
    }

    /// Writes the lowest digits of a value.
    @inline(__always)
    private static func write(
        _ value: UInt64,
        digits: Int,
        to buffer: UnsafeMutableBufferPointer<UInt8>,
        at position: inout Int
    ) {
        var rest = value
        var place = position + digits
        while place > position {
            place -= 1
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            // Without a branch, which would be wrong half of the time: letters follow digits after a gap of 39.
            buffer[place] = UInt8(ascii: "0") &+ digit &+ (39 & (0 &- ((digit &+ 6) >> 4)))
            rest >>= 4
        }
        position += digits
    }

    @inline(__always)
    private static func writeDash(to buffer: UnsafeMutableBufferPointer<UInt8>, at position: inout Int) {
        buffer[position] = UInt8(ascii: "-")
        position += 1
    }
}

/// The key of a workflow: its namespace (by number) and its workflow id.
public struct WorkflowKey: Hashable, Sendable {
    /// The namespace's number in the registry.
    public let namespace: Int32
    /// The workflow id, unique among the namespace's open runs.
    public let workflowID: String

    public init(namespace: Int32, workflowID: String) {
        self.namespace = namespace
        self.workflowID = workflowID
    }

    /// Compares ids by their bytes, like the database: see `ExactText`.
    public static func == (left: WorkflowKey, right: WorkflowKey) -> Bool {
        left.namespace == right.namespace && left.workflowID.hasSameBytes(as: right.workflowID)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(namespace)
        hasher.combine(bytesOf: workflowID)
    }
}
