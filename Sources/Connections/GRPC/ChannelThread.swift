internal import Glibc

/// Knows on which channel's thread the present code runs, so that ending a channel from one of its own completions does
/// not wait for itself.
enum ChannelThread {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = pthread_key_create(&key, nil)
        precondition(code == 0, "the system gave no thread-local place (error \(code))")
        return key
    }()

    static func enter(_ channel: ChannelRuntime) {
        pthread_setspecific(key, Unmanaged.passUnretained(channel).toOpaque())
    }

    static func isInside(_ channel: ChannelRuntime) -> Bool {
        pthread_getspecific(key) == Unmanaged.passUnretained(channel).toOpaque()
    }
}
