/// Where the handler of a method runs.
public enum GRPCMethodKind: Sendable {
    /// On the server's thread: the handler must never block and should take microseconds. Requests larger than
    /// `GRPCServerConfiguration.hotRequestBytes` run on the bounded pool all the same.
    case hot
    /// On the bounded pool: the handler may take its time, and block.
    case cold
}
