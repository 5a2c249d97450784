internal import SagamoreThreads

/// The answers of `grpc.health.v1.Health/Check`: whether each service is serving. The empty name stands for the whole
/// server. The two messages are small enough to be encoded by hand.
final class HealthRegistry: Sendable {
    static let path = "/grpc.health.v1.Health/Check"

    private struct State {
        var serving = ["": true]
        var isDraining = false
    }

    private let state = Locked(State())

    func set(_ service: String, serving: Bool) {
        state.withLock { $0.serving[service] = serving }
    }

    /// Answers NOT_SERVING for all services from now on.
    func drain() {
        state.withLock { $0.isDraining = true }
    }

    /// Answers one Check call.
    func answer(_ call: GRPCServerCall) {
        guard let service = call.withRequest({ Self.service(inRequest: $0) }) else {
            call.fail(GRPCStatus(.invalidArgument, "the request is not a HealthCheckRequest"))
            return
        }
        let serving = state.withLock { state in
            state.serving[service].map { $0 && !state.isDraining }
        }
        guard let serving else {
            call.fail(GRPCStatus(.notFound, "this server has no service of that name"))
            return
        }
        // HealthCheckResponse.status: field 1, SERVING = 1, NOT_SERVING = 2.
        call.reply([0x08, serving ? 1 : 2])
    }

    /// HealthCheckRequest.service (field 1, a string); nil when the bytes are not such a message.
    static func service(inRequest bytes: UnsafeRawBufferPointer) -> String? {
        var service = ""
        var position = 0
        func varint() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 70, by: 7) {
                guard position < bytes.count else { return nil }
                let byte = bytes[position]
                position += 1
                if shift == 63, byte > 1 { return nil }
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            return nil
        }
        while position < bytes.count {
            guard let tag = varint(), tag >> 3 != 0 else { return nil }
            switch tag & 7 {
            case 0:
                guard varint() != nil else { return nil }
            case 1:
                position += 8
            case 2:
                guard let length = varint(), length <= UInt64(bytes.count - position) else { return nil }
                let end = position + Int(length)
                if tag >> 3 == 1 {
                    guard let text = String(validating: bytes[position..<end], as: UTF8.self) else { return nil }
                    service = text
                }
                position = end
            case 5:
                position += 4
            default:
                return nil
            }
        }
        return position == bytes.count ? service : nil
    }
}
