public import SagamoreEngine

/// What a bug report tells of a database. It has ids of workflows, and no payloads.
public struct DatabaseDiagnosis: Sendable {
    /// A run with an alarm.
    public struct Alarm: Sendable {
        /// The run.
        public let runID: RunID
        /// The number of its namespace.
        public let namespace: Int32
        /// Its workflow.
        public let workflowID: String
        /// Its type.
        public let workflowType: String
        /// When its owner must look, in nanoseconds since 1970; nil while it is in memory.
        public let at: Int64?
        /// When it was started, in nanoseconds since 1970.
        public let startedAt: Int64
    }

    /// The size of a table with its indexes.
    public struct Table: Sendable {
        /// Its name.
        public let name: String
        /// Its rows, as PostgreSQL estimates them.
        public let rows: Int64
        /// In bytes.
        public let bytes: Int64
    }

    /// PostgreSQL's version, as it says.
    public let serverVersion: String
    /// Settings that matter here, by name.
    public let settings: [(name: String, value: String)]
    /// The oldest runs that still have to do something, in memory or not; at most 20.
    public let alarms: [Alarm]
    /// The largest first.
    public let tables: [Table]
    /// The numbers and names of namespaces.
    public let namespaces: [(number: Int32, name: String)]
}
