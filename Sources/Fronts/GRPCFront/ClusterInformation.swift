/// The information that clients get about this installation.
public struct ClusterInformation: Sendable {
    /// A UUID, created with the database.
    public var clusterID: String
    /// The cluster's name.
    public var clusterName: String
    /// The version of the contract, as a version of Temporal's server.
    public var serverVersion: String
    /// How many shards the database has.
    public var shards: Int

    /// The version of the contract that clients get.
    ///
    /// Clients take it for the version of a Temporal server. Some compare it as `major.minor.patch`, and refuse or hide
    /// features of newer servers, so it must be three plain numbers. 1.29.0 is new enough for every known check. The
    /// capabilities tell which features exist.
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
