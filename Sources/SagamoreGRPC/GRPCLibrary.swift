internal import CSagamoreGRPC
internal import Glibc

/// The C core as a whole: one for the process, set up at first use and never taken down (its threads and tables are
/// shared by every server and channel, and an orderly end of those leaves nothing running in it).
enum GRPCLibrary {
    /// Sets the library up; cheap after the first time.
    static func initialize() { _ = initialized }

    /// Where the library's own messages go: to the log of the server started last.
    static let sink = Condition<GRPCLog?>(nil)

    private static let initialized: Bool = {
        if getenv("GRPC_VERBOSITY") == nil { redirectLog() }
        grpc_init()
        return true
    }()

    private typealias LogFunction = @convention(c) (UnsafeMutablePointer<csagamore_log_record>?) -> Void
    private typealias SetLogFunction = @convention(c) (LogFunction?) -> Void

    /// The library writes to standard error of its own accord. Versions that have no log function to set keep that.
    private static func redirectLog() {
        guard let symbol = dlsym(nil, "gpr_set_log_function") else { return }
        let setLogFunction = unsafeBitCast(symbol, to: SetLogFunction.self)
        setLogFunction { record in
            guard let record, let message = record.pointee.message else { return }
            guard let log = GRPCLibrary.sink.withLock({ $0 }) else { return }
            // A connection that can't be made is an error to the library, and daily bread to us: callers see a status.
            log(.debug, "gRPC C core: " + String(cString: message))
        }
    }
}
