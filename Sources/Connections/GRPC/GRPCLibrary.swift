internal import CSagamoreGRPC
internal import Glibc

/// The C core as a whole: one for the process, set up at first use and never taken down (its threads and tables are
/// shared by every channel, and an orderly end of those leaves nothing running in it).
enum GRPCLibrary {
    /// Sets the library up; cheap after the first time.
    static func initialize() { _ = initialized }

    private static let initialized: Bool = {
        if getenv("GRPC_VERBOSITY") == nil { silence() }
        grpc_init()
        return true
    }()

    private typealias LogFunction = @convention(c) (UnsafeMutableRawPointer?) -> Void
    private typealias SetLogFunction = @convention(c) (LogFunction?) -> Void

    /// The library writes to standard error of its own accord. A connection that can't be made is an error to it, and
    /// daily bread to us: callers see a status. Versions that have no log function to set keep writing.
    private static func silence() {
        guard let symbol = dlsym(nil, "gpr_set_log_function") else { return }
        let setLogFunction = unsafeBitCast(symbol, to: SetLogFunction.self)
        setLogFunction { _ in }
    }
}
