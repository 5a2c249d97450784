internal import SagamoreEngine

/// Where a page of a list has ended. It is of use for the same list only.
struct PageToken: Equatable {
    /// The value of the field that decides about the order; nil where the last run lacks it, and without such a field.
    var key: FilterValue?
    /// The last run.
    var runID: RunID

    private static let version: UInt8 = 1

    func bytes(of list: ListIdentity) -> [UInt8] {
        var bytes: [UInt8] = [Self.version]
        bytes.append(number: list.digest)
        bytes.append(number: runID.high)
        bytes.append(number: runID.low)
        switch key {
        case nil: bytes.append(0)
        case .int(let number):
            bytes.append(1)
            bytes.append(number: UInt64(bitPattern: number))
        case .fraction(let number):
            bytes.append(2)
            bytes.append(number: number.bitPattern)
        case .runID(let id):
            bytes.append(3)
            bytes.append(number: id.high)
            bytes.append(number: id.low)
        case .text(let text):
            bytes.append(4)
            bytes += text.utf8
        }
        return bytes
    }

    /// - Returns: nil for what is no token of this list.
    init?(_ bytes: [UInt8], of list: ListIdentity) {
        var rest = bytes[...]
        guard rest.popFirst() == Self.version, rest.popNumber() == list.digest,
            let high = rest.popNumber(), let low = rest.popNumber(), let kind = rest.popFirst()
        else { return nil }
        runID = RunID(high: high, low: low)
        switch kind {
        case 0: key = nil
        case 1:
            guard let number = rest.popNumber() else { return nil }
            key = .int(Int64(bitPattern: number))
        case 2:
            guard let number = rest.popNumber() else { return nil }
            key = .fraction(Double(bitPattern: number))
        case 3:
            guard let high = rest.popNumber(), let low = rest.popNumber() else { return nil }
            key = .runID(RunID(high: high, low: low))
        case 4:
            guard let text = String(validating: rest, as: UTF8.self), !text.holdsNUL else { return nil }
            key = .text(text)
            rest = []
        default: return nil
        }
        guard rest.isEmpty else { return nil }
    }

    init(key: FilterValue?, runID: RunID) {
        self.key = key
        self.runID = runID
    }
}

/// Which list a token belongs to.
struct ListIdentity {
    /// A hash (FNV-1a) of the namespace and the filter.
    let digest: UInt64

    init(namespace: Int32, query: String) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in Array("\(namespace) ".utf8) + Array(query.utf8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        digest = hash
    }
}

extension [UInt8] {
    fileprivate mutating func append(number: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) { append(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
    }
}

extension ArraySlice<UInt8> {
    fileprivate mutating func popNumber() -> UInt64? {
        guard count >= 8 else { return nil }
        defer { removeFirst(8) }
        return prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
