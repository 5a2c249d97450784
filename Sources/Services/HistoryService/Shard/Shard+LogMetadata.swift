internal import SagamoreEngine
internal import SagamoreLogging

/// What an operator filters by, the same in all lines about a workflow.
extension Shard {
    /// - Parameter origin: the command that started the run, if one did.
    func about(_ key: WorkflowKey, _ runID: RunID?, _ origin: CommandOrigin? = nil) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "namespace": "\(namespace(key.namespace)?.name ?? "\(key.namespace)")",
            "workflow_id": "\(key.workflowID)",
            "shard": "\(id)",
        ]
        if let runID { metadata["run_id"] = "\(runID)" }
        if let origin {
            metadata["command_id"] = "\(origin.commandID)"
            for header in origin.headers where header.name == "traceparent" {
                metadata["traceparent"] = "\(String(decoding: header.value.prefix(100), as: UTF8.self))"
            }
        }
        return metadata
    }

    /// Under the lock.
    func about(_ run: CachedRun) -> Logger.Metadata { about(run.key, run.runID, run.ask { $0.durable.origin }) }
}
