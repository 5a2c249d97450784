internal import SagamoreEngine
internal import SagamoreServices

/// The tokens that workers return. A token of another kind is answered like one of an unknown task.
extension GRPCFront {
    /// - Throws: `invalidArgument`, `notFound`.
    func workflowTaskToken(
        _ bytes: [UInt8],
        in namespace: String
    ) throws(RequestError) -> (WorkflowTaskToken, NamespaceRecord) {
        guard case .workflow(let token) = try TaskToken(bytes) else { throw .workflowTaskNotFound }
        return (token, try record(of: token.key, namedIn: namespace))
    }

    /// - Throws: `invalidArgument`, `notFound`.
    func activityTaskToken(_ bytes: [UInt8], in namespace: String) throws(RequestError) -> ActivityTaskToken {
        guard case .activity(let token) = try TaskToken(bytes) else { throw .activityTaskNotFound }
        _ = try record(of: token.key, namedIn: namespace)
        return token
    }

    /// - Throws: `invalidArgument`, `notFound`.
    func queryToken(_ bytes: [UInt8], in namespace: String) throws(RequestError) -> TaskToken.QueryToken {
        guard case .query(let token) = try TaskToken(bytes) else {
            throw RequestError(.notFound, "query task not found, or already expired")
        }
        _ = try record(of: token.key, namedIn: namespace)
        return token
    }

    /// The namespace of a token. The request may leave its name out.
    private func record(of key: WorkflowKey, namedIn name: String) throws(RequestError) -> NamespaceRecord {
        if name.isEmpty {
            guard let record = namespaces.namespace(numbered: key.namespace) else {
                throw .invalidArgument("Error deserializing task token.")
            }
            return try checkState(of: record)
        }
        let record = try namespace(name)
        guard record.number == key.namespace else {
            throw .invalidArgument("Operation requested with a token from a different namespace.")
        }
        return record
    }
}
