internal import Glibc

/// Bytes to be written to a socket.
struct OutgoingBytes: ~Copyable {
    private var place = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var head = 0
    private var end = 0

    /// From this size on, the bytes are written before more are added.
    static let enough = 64 * 1024
    private static let firstCapacity = 4096

    enum Outcome { case written, full, broken }

    deinit { place.deallocate() }

    var isEmpty: Bool { head == end }
    var hasEnough: Bool { end - head >= Self.enough }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        append(atMost: more.count) { room in
            room.copyMemory(from: more)
            return more.count
        }
    }

    /// Adds up to `count` bytes that `body` writes; `body` returns their number.
    mutating func append(atMost count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) {
        if end + count > place.count { grow(by: count) }
        end += body(UnsafeMutableRawBufferPointer(rebasing: place[end..<(end + count)]))
    }

    private mutating func grow(by count: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(end + count, 2 * place.count, Self.firstCapacity),
            alignment: 16
        )
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: place[..<end]))
        place.deallocate()
        place = larger
    }

    /// Writes the bytes. Returns `full` when the socket accepts no more for now.
    mutating func write(to descriptor: Int32) -> Outcome {
        while head < end {
            let rest = UnsafeRawBufferPointer(rebasing: place[head..<end])
            let count = send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                head += count
            } else if errno == EAGAIN {
                return .full
            } else if errno != EINTR {
                return .broken
            }
        }
        head = 0
        end = 0
        // The memory of a large answer is not kept.
        if place.count > 2 * Self.enough {
            place.deallocate()
            place = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
        return .written
    }
}
