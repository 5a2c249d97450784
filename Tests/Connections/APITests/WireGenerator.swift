import SagamoreProtobuf

/// A seeded generator: the same seed gives the same values.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// Creates random encoded messages that no encoder would write but every decoder must accept:
/// fields in any order, singular fields several times, packed and unpacked lists mixed, half-empty map entries.
struct WireGenerator {
    var random: SeededGenerator

    /// The last two are canonically equivalent, yet are two keys.
    private static let strings = [
        "", "a", "saga", "naïve ☃ 𝄞", String(repeating: "x", count: 130), "caf\u{E9}", "cafe\u{301}",
    ]
    private static let integers: [UInt64] = [
        0, 1, 127, 128, 255, 300, 1 << 31, 1 << 35, 1 << 63, UInt64(UInt32.max), UInt64(Int32.max), UInt64.max,
    ]

    init(seed: UInt64) { self.random = SeededGenerator(seed: seed) }

    /// A random message in which `last`, when given, is set after all others to a value that is not its default.
    mutating func message(
        _ fields: ProtobufFields,
        depth: Int,
        share: Int,
        last: ProtobufFields.Field? = nil
    ) -> [UInt8] {
        var parts: [[UInt8]] = []
        for field in fields.fields where Int.random(in: 0..<100, using: &self.random) < share {
            if field.kind == .message, depth == 0 { continue }
            for _ in 0..<Int.random(in: 1...2, using: &self.random) {
                parts.append(self.occurrence(field, depth: depth, share: share, isSet: false))
            }
        }
        parts.shuffle(using: &self.random)
        if let last { parts.append(self.occurrence(last, depth: depth, share: share, isSet: true)) }
        return Array(parts.joined())
    }

    /// One field with its tag.
    private mutating func occurrence(_ field: ProtobufFields.Field, depth: Int, share: Int, isSet: Bool) -> [UInt8] {
        var writer = ProtobufWriter(capacity: 64)
        if let entry = field.mapEntry {
            writer.lengthDelimited(field.number, self.message(entry, depth: max(depth - 1, 0), share: 80))
        } else if let message = field.message {
            let nested = self.message(message.protobufFields, depth: max(depth - 1, 0), share: min(share, 40))
            writer.lengthDelimited(field.number, depth == 0 ? [] : nested)
        } else if field.isRepeated, field.kind.wireType != .lengthDelimited, Bool.random(using: &self.random) {
            for _ in 0..<Int.random(in: isSet ? 1...3 : 0...3, using: &self.random) {
                self.value(field.kind, into: &writer, isSet: isSet)
            }
            writer.lengthDelimited(field.number, since: 0)
        } else {
            self.value(field.kind, into: &writer, isSet: isSet)
            writer.tag(field.number, field.kind.wireType)
        }
        return writer.bytes()
    }

    /// A value without its tag. When `isSet`, it is not the default.
    private mutating func value(_ kind: ProtobufFields.Kind, into writer: inout ProtobufWriter, isSet: Bool) {
        if kind == .string {
            let value = Self.strings[Int.random(in: (isSet ? 1 : 0)..<Self.strings.count, using: &self.random)]
            writer.raw(Array(value.utf8))
            writer.varint(UInt64(value.utf8.count))
            return
        }
        if kind == .bytes {
            let count = Int.random(in: isSet ? 1...20 : 0...20, using: &self.random)
            writer.raw((0..<count).map { _ in UInt8.random(in: 0...255, using: &self.random) })
            writer.varint(UInt64(count))
            return
        }
        // Odd, so that truncation never yields zero.
        let number = Self.integers.randomElement(using: &self.random)! | (isSet ? 1 : 0)
        switch kind.wireType {
        case .fixed32:
            writer.fourBytes(
                kind == .float
                    ? Float(Int32(truncatingIfNeeded: number)).bitPattern : UInt32(truncatingIfNeeded: number)
            )
        case .fixed64: writer.eightBytes(kind == .double ? Double(number).bitPattern : number)
        default: writer.varint(number)
        }
    }

    /// Bytes with up to three mutations: bits flipped, bytes replaced, removed or inserted, or the end cut off.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &self.random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &self.random)
            switch Int.random(in: 0..<6, using: &self.random) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &self.random)
            case 1: bytes[index] = UInt8.random(in: 0...255, using: &self.random)
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &self.random), at: index)
            case 4: bytes.removeSubrange(index...)
            default: bytes[index] = [0x00, 0x7F, 0x80, 0xFF].randomElement(using: &self.random)!
            }
        }
        return bytes
    }
}
