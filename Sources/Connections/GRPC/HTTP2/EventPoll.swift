internal import CSagamoreHTTP2
internal import Glibc

/// The descriptors that a loop waits for: the system's epoll.
///
/// Belongs to the loop's thread.
struct EventPoll: ~Copyable {
    private let descriptor: Int32
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 128)

    /// - Returns: nil, with the system's error in `errno`, when there are no file descriptors left.
    init?() {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        if descriptor < 0 { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        events.deallocate()
    }

    /// Waits for input of a descriptor, and for room to write where asked for.
    func watch(_ other: Int32, room: Bool = false) { change(EPOLL_CTL_ADD, other, room) }

    /// Changes whether room to write is waited for.
    func watchAgain(_ other: Int32, room: Bool) { change(EPOLL_CTL_MOD, other, room) }

    func forget(_ other: Int32) { _ = csagamore_watch(descriptor, EPOLL_CTL_DEL, other, 0) }

    private func change(_ operation: Int32, _ other: Int32, _ room: Bool) {
        let kinds = EPOLLIN.rawValue | (room ? EPOLLOUT.rawValue : 0)
        _ = csagamore_watch(descriptor, operation, other, kinds)
    }

    /// Waits for at most `milliseconds`. Returns the number of events.
    func wait(milliseconds: Int32) -> Int {
        max(0, Int(epoll_wait(descriptor, events.baseAddress, Int32(events.count), milliseconds)))
    }

    /// An event after `wait`: its descriptor, whether there is input or an end, and whether there is room to write.
    subscript(index: Int) -> (descriptor: Int32, isReadable: Bool, isWritable: Bool) {
        let event = events[index]
        return (event.data.fd, event.events & ~EPOLLOUT.rawValue != 0, event.events & EPOLLOUT.rawValue != 0)
    }

    /// Milliseconds until then, rounded up.
    static func milliseconds(until instant: ContinuousClock.Instant) -> Int32 {
        let rest = max(.zero, instant - .now)
        return Int32(clamping: Int((rest / .milliseconds(1)).rounded(.up)))
    }
}
