internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreJSONText

/// Starts a batch: the same for all runs that match a filter.
struct BatchStart {
    static let rate = Option<Double?>(
        "--rps",
        valueName: "NUMBER",
        help: "With --query: how many runs a second at most. Default: the server's."
    )
    static let isDetached = Flag("--detached", help: "With --query: do not show the progress on a terminal.")

    /// The options of a command that can be a batch, beside those that name its runs.
    static let parameters: [any Parameter] = [rate, isDetached, Confirmation.yes]

    let request: StartBatchOperationRequest
    private let values: ParsedValues

    /// - Parameter reason: why; by default who asked.
    init(
        _ query: String,
        _ operation: StartBatchOperationRequest.OneOf_Operation,
        reason: String?,
        _ values: ParsedValues
    ) throws(UsageError) {
        let rate = values[Self.rate] ?? 0
        guard rate >= 0, rate <= 1e6 else { throw UsageError("'--rps' expects a number of runs a second") }
        var request = StartBatchOperationRequest()
        request.namespace = values[Places.namespace]
        request.jobID = CommandIdentity.newID()
        request.visibilityQuery = query
        request.reason = reason ?? CommandIdentity.reason
        request.maxOperationsPerSecond = Float(rate)
        request.operation = operation
        self.request = request
        self.values = values
    }

    /// Asks, starts it, and shows its progress to somebody at a terminal.
    func run() async throws {
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let count = try await count(client)
            try Confirmation.obtain(values, "Start a batch for about \(count) \(count == 1 ? "run" : "runs")?")
            let _: StartBatchOperationResponse = try await client.call(
                .startBatchOperation,
                request,
                advice: ListCommand.advice
            )
            if format.isJSON {
                StandardOutput.show(format.text(of: ["batchJobId": .string(request.jobID)]))
                return
            }
            StandardOutput.show("Started batch for job ID: \(request.jobID)\n")
            guard StandardOutput.isTerminal, !values[Self.isDetached] else { return }
            let batch = try await BatchFollowing(jobID: request.jobID, client: client).run()
            try BatchFollowing.check(batch)
        }
    }

    /// How many runs it is about. An operation that only open runs can be asked for leaves out the others.
    private func count(_ client: ServiceClient) async throws(CommandFailure) -> Int64 {
        var count = CountWorkflowExecutionsRequest()
        count.namespace = request.namespace
        switch request.operation {
        case .terminationOperation, .signalOperation, .cancellationOperation:
            count.query = "ExecutionStatus = 'Running' AND (\(request.visibilityQuery))"
        default: count.query = request.visibilityQuery
        }
        let response: CountWorkflowExecutionsResponse = try await client.call(
            .countWorkflowExecutions,
            count,
            advice: ListCommand.advice
        )
        return response.count
    }
}
