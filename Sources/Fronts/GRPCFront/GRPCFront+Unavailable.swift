internal import SagamoreAPI
internal import SagamoreGRPC

/// Methods of the contract that this version lacks. Registered first, so that later registrations replace them.
extension GRPCFront {
    func registerUnavailable(on server: GRPCServer) {
        for path in WorkflowServiceMethod.allCases.map(\.rawValue) + OperatorServiceMethod.allCases.map(\.rawValue) {
            let name = path.split(separator: "/").last ?? ""
            let status = GRPCStatus(.unimplemented, "\(name) is not available in this version of sagamore")
            server.refuse(path, with: status)
        }
    }
}
