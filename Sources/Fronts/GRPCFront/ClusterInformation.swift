/// What clients are told about this installation.
public struct ClusterInformation: Sendable {
    /// A UUID, made with the database.
    public var clusterID: String
    /// The cluster's name.
    public var clusterName: String
    /// The version of the contract, in the numbers of Temporal's server.
    public var serverVersion: String
    /// How many shards the database has.
    public var shards: Int

    /// The contract's version that clients are told.
    ///
    /// Clients take it for the version of a Temporal server: some compare it as `major.minor.patch` and refuse or hide
    /// what older servers lack, so it has to be three plain numbers. 1.29.0 is new enough for every check in use; what
    /// is really there they learn from the capabilities.
    public static let contractVersion = "1.29.0"

    /// The information about one installation.
    public init(
        clusterID: String,
        clusterName: String = "active",
        serverVersion: String = ClusterInformation.contractVersion,
        shards: Int
    ) {
        self.clusterID = clusterID
        self.clusterName = clusterName
        self.serverVersion = serverVersion
        self.shards = shards
    }
}
