internal import Glibc

/// Bytes for a socket that are not written yet.
struct OutgoingBytes: ~Copyable {
    private var place = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var head = 0
    private var end = 0

    /// From so many bytes on they are written before more are added.
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

    /// Adds up to `count` bytes that `body` writes; it returns how many they are.
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

    /// Writes what is there; `full`: the peer takes no more for now.
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
        // What a large answer took is not kept for the next small one.
        if place.count > 2 * Self.enough {
            place.deallocate()
            place = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
        return .written
    }
}
