/// Where the handler of a method runs.
public enum GRPCMethodKind: Sendable {
    /// On the server's thread: the handler must not block and should take microseconds. Requests larger than
    /// `GRPCServerConfiguration.hotRequestBytes` run on the bounded pool.
    case hot
    /// On the bounded pool: the handler may block.
    case cold
}
