public import SagamoreAPI
public import SagamoreEngine

/// The service that does the same to many runs. Each reply is sent when what it reports is durable.
public protocol BatchClient: Sendable {
    /// Begins a batch.
    ///
    /// Fails with `invalidArgument` for a request that cannot be carried out, `alreadyExists` for a job id that is
    /// known, `resourceExhausted` while as many run as may.
    func start(_ request: StartBatchOperationRequest, in namespace: NamespaceRecord, reply: Reply<Void>)
    /// Ends a batch that runs. What it has done stands.
    ///
    /// Fails with `notFound` for an unknown job id.
    func stop(_ request: StopBatchOperationRequest, in namespace: NamespaceRecord, reply: Reply<Void>)
    /// How far a batch is, or how it ended. Fails with `notFound` for an unknown job id.
    func describe(_ jobID: String, in namespace: NamespaceRecord, reply: Reply<DescribeBatchOperationResponse>)
    /// The batches of a namespace, the newest first.
    func list(
        _ request: ListBatchOperationsRequest,
        in namespace: NamespaceRecord,
        reply: Reply<ListBatchOperationsResponse>
    )
}
