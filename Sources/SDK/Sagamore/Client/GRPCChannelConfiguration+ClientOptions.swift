internal import SagamoreGRPC

extension GRPCChannelConfiguration {
    init(_ options: ClientOptions) {
        self.init(target: options.address)
        if let tls = options.tls {
            var channelTLS = TLS(serverRoots: tls.rootCertificates)
            channelTLS.certificateChain = tls.certificateChain
            channelTLS.privateKey = tls.privateKey
            channelTLS.serverName = tls.serverName
            self.tls = channelTLS
        }
        var headers: [String: String] = [:]
        if let key = options.apiKey {
            headers["authorization"] = "Bearer \(key)"
            headers["temporal-namespace"] = options.namespace
        }
        for (name, value) in options.headers { headers[name.lowercased()] = value }
        guard let callHeaders = options.callHeaders else {
            metadata = headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            return
        }
        callMetadata = { [headers] () throws(GRPCStatus) in
            var all = headers
            do {
                for (name, value) in try callHeaders() { all[name.lowercased()] = value }
            } catch {
                throw GRPCStatus(.unauthenticated, "the header fields of the call cannot be had: \(error)")
            }
            return all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
    }
}
