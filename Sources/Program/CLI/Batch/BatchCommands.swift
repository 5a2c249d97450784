internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// `sagamore batch`: batches that were started with `--query`.
enum BatchCommands {
    static let jobID = Option<String>("--job-id", valueName: "ID", help: "The batch.")
    static let follows = Flag("--follow", "-f", help: "Wait for its end. A terminal shows the progress.")
    static let reason = Option<String>("--reason", valueName: "TEXT", help: "Why.")

    /// How many batches are fetched at a time.
    private static let pageSize = 1_000

    static let describe = Command(
        "describe",
        abstract: "Describe a batch and its progress.",
        discussion: """
            With --follow it ends with 1 when the batch was stopped, or one of its operations failed. JSON is the \
            protobuf JSON of the response. Example:
            sagamore batch describe --job-id 0e2b5a7c --follow
            """,
        parameters: ServiceClient.parameters([jobID, follows])
    ) { values in
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let following = BatchFollowing(jobID: values[jobID], client: client)
            let batch = try await values[follows] ? following.run() : following.describe()
            if format.isJSON {
                StandardOutput.show(format.text(of: try ProtobufJSON.value(of: batch)))
            } else {
                StandardOutput.show(text(batch, times: values[TimeFormat.option]))
            }
            if values[follows] { try BatchFollowing.check(batch) }
        }
    }

    static let list = Command(
        "list",
        abstract: "List the batches of a namespace, the newest first.",
        discussion: """
            JSON is an array of protobuf JSON, jsonl has a batch on each line. Example:
            sagamore batch list --limit 10
            """,
        parameters: ServiceClient.parameters([Listing.limit])
    ) { values in
        let listing = try Listing(values, pageSize: pageSize)
        let printer = printer(values[OutputFormat.option], times: values[TimeFormat.option])
        try await ServiceClient.use(values) { client in
            var request = ListBatchOperationsRequest()
            request.namespace = client.namespace
            try await listing.show(printer) { size, token in
                request.pageSize = size
                request.nextPageToken = token
                let page: ListBatchOperationsResponse = try await client.call(.listBatchOperations, request)
                return (page.operationInfo, page.nextPageToken)
            }
        }
    }

    static let terminate = Command(
        "terminate",
        abstract: "Stop a batch.",
        discussion: """
            What it has done stays. Example:
            sagamore batch terminate --job-id 0e2b5a7c --reason "the wrong filter"
            """,
        parameters: ServiceClient.parameters([jobID, reason])
    ) { values in
        try await ServiceClient.use(values) { client in
            var request = StopBatchOperationRequest()
            request.namespace = client.namespace
            request.jobID = values[jobID]
            request.reason = values[reason]
            request.identity = CommandIdentity.text
            let _: StopBatchOperationResponse = try await client.call(.stopBatchOperation, request)
            Report.done("Terminated batch \(request.jobID)", values)
        }
    }

    static func text(
        _ batch: DescribeBatchOperationResponse,
        times: TimeFormat = .iso,
        isColored: Bool = Color.isOn
    ) -> String {
        var properties = Properties()
        properties.add("JobId", batch.jobID)
        properties.add("State", batch.state.text, color: batch.state.color)
        properties.add("Type", batch.operationType.text)
        properties.add("StartTime", batch.startTime.map { times.text($0) })
        properties.add("CloseTime", batch.closeTime.map { times.text($0) })
        properties.add("Total", String(batch.totalOperationCount))
        properties.add("Completed", String(batch.completeOperationCount))
        let failed = batch.failureOperationCount
        properties.add("Failed", String(failed), color: failed > 0 ? .red : nil)
        properties.add("Query", batch.query)
        properties.add("Reason", batch.reason)
        properties.add("Identity", batch.identity)
        return properties.text(title: "Batch:", isColored: isColored)
    }

    static func printer(
        _ format: OutputFormat,
        times: TimeFormat,
        lineWidth: Int? = TerminalWidth.ofStandardOutput,
        isColored: Bool = Color.isOn
    ) -> ListPrinter<BatchOperationInfo> {
        let columns: [StreamingTable.Column] = [
            .init(title: "JobId", width: 36), .init(title: "State", width: 9), .init(title: "Type", width: 17),
            .init(title: "StartTime", width: 20), .init(title: "CloseTime", width: 0),
        ]
        return ListPrinter(format, columns: columns, lineWidth: lineWidth, isColored: isColored) { batch in
            let cells = [
                batch.jobID, batch.state.text, batch.operationType.text,
                batch.startTime.map { times.text($0, .seconds) } ?? "",
                batch.closeTime.map { times.text($0, .seconds) } ?? "",
            ]
            return .init(cells: cells, colors: batch.state.color.map { [1: $0] } ?? [:])
        }
    }
}

extension BatchOperationState {
    fileprivate var text: String { description.inCamelCase(without: "BATCH_OPERATION_STATE_") }

    fileprivate var color: Color? {
        switch self {
        case .completed: .green
        case .failed: .red
        default: nil
        }
    }
}

extension BatchOperationType {
    fileprivate var text: String { description.inCamelCase(without: "BATCH_OPERATION_TYPE_") }
}
