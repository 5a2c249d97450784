/// A message that is being sent: its prefix and its content, read piece by piece.
struct OutgoingMessage: Sendable {
    private let parts: [[UInt8]]
    /// The next part, and the offset in it. The prefix comes before the first part.
    private var index = -1
    private var position = 0
    private let length: Int
    private let isPacked: Bool

    private static let prefixLength = 5

    /// - Parameter isPacked: whether the parts are compressed.
    init(_ parts: [[UInt8]], isPacked: Bool = false) {
        self.parts = parts
        self.isPacked = isPacked
        length = parts.reduce(0) { $0 + $1.count }
    }

    /// Whether everything has been read.
    var isOver: Bool { index == parts.count }

    /// Copies the next bytes to `place`, as many as fit. Returns their number.
    mutating func take(into place: UnsafeMutableRawBufferPointer) -> Int {
        var written = 0
        while !isOver {
            let room = UnsafeMutableRawBufferPointer(rebasing: place[written...])
            let (count, size) = index < 0 ? takePrefix(room) : takePart(room)
            written += count
            position += count
            guard position == size else { break }
            index += 1
            position = 0
        }
        return written
    }

    private func takePart(_ room: UnsafeMutableRawBufferPointer) -> (count: Int, size: Int) {
        parts[index].withUnsafeBytes { part in
            let count = min(room.count, part.count - position)
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: part[position..<(position + count)]))
            return (count, part.count)
        }
    }

    private func takePrefix(_ room: UnsafeMutableRawBufferPointer) -> (count: Int, size: Int) {
        let count = min(room.count, Self.prefixLength - position)
        for offset in 0..<count {
            // Whether it is compressed; then the length.
            let shift = 8 * (Self.prefixLength - 1 - position - offset)
            room[offset] = shift == 32 ? (isPacked ? 1 : 0) : UInt8(truncatingIfNeeded: length >> shift)
        }
        return (count, Self.prefixLength)
    }
}
