internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreGRPCServer

/// What the contract has and this version has not. Registered first: whatever is registered later under the same name
/// takes its place.
extension GRPCFront {
    func registerUnavailable(on server: GRPCServer) {
        for path in WorkflowServiceMethod.allCases.map(\.rawValue) + OperatorServiceMethod.allCases.map(\.rawValue) {
            let name = path.split(separator: "/").last ?? ""
            let status = GRPCStatus(.unimplemented, "\(name) is not available in this version of sagamore")
            server.refuse(path, with: status)
        }
    }
}
