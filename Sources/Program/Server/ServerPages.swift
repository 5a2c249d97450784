internal import SagamoreHistoryService
internal import SagamoreMatchingService
internal import SagamoreMetrics
internal import SagamoreServices
internal import SagamoreWebFront

/// What a server shows over HTTP: its metrics, and whether it lives and is ready.
struct ServerPages {
    let registry: MetricsRegistry
    let readiness: Readiness

    /// Starts the web server.
    func serve(_ address: WebAddress) throws(ServerError) -> WebServer {
        let (registry, readiness) = (registry, readiness)
        do throws(WebServerError) {
            return try WebServer(
                host: address.host,
                port: address.port,
                tls: address.tls.map { WebCertificate(chain: $0.certificateChain, key: $0.privateKey) },
                pages: [
                    "/metrics": {
                        WebResponse(contentType: "text/plain; version=0.0.4; charset=utf-8", registry.text())
                    },
                    "/healthz": { WebResponse("ok\n") },
                    "/readyz": {
                        guard let reason = readiness.obstacle else { return WebResponse("ready\n") }
                        return WebResponse(status: 503, "not ready: \(reason)\n")
                    },
                ]
            )
        } catch {
            throw .cannotServePages(error.description)
        }
    }

    /// Adds what waits in task queues.
    func register(_ matching: MatchingService) {
        let label = { @Sendable (kind: TaskQueueKey.Kind) in kind == .workflow ? "workflow" : "activity" }
        registry.ask("sagamore_pollers", "Polls that wait for a task, by kind.", labels: ["kind"]) { [weak matching] in
            matching?.figures().map { ([label($0.kind)], Double($0.polls)) } ?? []
        }
        let tasks = "Tasks that wait in memory for a poll, by kind."
        registry.ask("sagamore_tasks_in_memory", tasks, labels: ["kind"]) { [weak matching] in
            matching?.figures().map { ([label($0.kind)], Double($0.tasks)) } ?? []
        }
    }

    /// Adds what is asked for when somebody reads.
    func register(_ history: HistoryService) {
        let readiness = readiness
        registry.ask("sagamore_ready", "1 if the services accept requests, 0 if not.") {
            [([], readiness.obstacle == nil ? 1 : 0)]
        }
        registry.ask("sagamore_shard_owned", "1 for a shard that this node owns, 0 for another.", labels: ["shard"]) {
            history.figures().map { (["\($0.id)"], $0.isOwned ? 1 : 0) }
        }
        registry.ask("sagamore_workflows_in_memory", "Workflows in memory, by shard.", labels: ["shard"]) {
            history.figures().map { (["\($0.id)"], Double($0.workflows)) }
        }
        registry.ask("sagamore_commit_queue_items", "What waits for a commit, by shard.", labels: ["shard"]) {
            history.figures().map { (["\($0.id)"], Double($0.queuedItems)) }
        }
        ProcessMetrics.register(in: registry)
    }
}
