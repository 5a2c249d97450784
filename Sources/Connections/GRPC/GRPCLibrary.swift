internal import CSagamoreGRPC
internal import Glibc

/// The C core library: initialized once per process on first use, and never shut down. All channels share its threads
/// and tables, and nothing runs in it once they have ended.
enum GRPCLibrary {
    /// Initializes the library; cheap after the first call.
    static func initialize() { _ = initialized }

    private static let initialized: Bool = {
        if getenv("GRPC_VERBOSITY") == nil { silence() }
        grpc_init()
        return true
    }()

    private typealias LogFunction = @convention(c) (UnsafeMutableRawPointer?) -> Void
    private typealias SetLogFunction = @convention(c) (LogFunction?) -> Void

    /// Silences the library, which logs to standard error even for failed connections: callers receive a status.
    /// Versions without a settable log function keep logging.
    private static func silence() {
        guard let symbol = dlsym(nil, "gpr_set_log_function") else { return }
        let setLogFunction = unsafeBitCast(symbol, to: SetLogFunction.self)
        setLogFunction { _ in }
    }
}
