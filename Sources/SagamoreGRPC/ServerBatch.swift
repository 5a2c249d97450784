internal import CSagamoreGRPC

/// What a call is answered with.
enum ServerReply {
    case message([UInt8])
    case parts([[UInt8]])
    case status(GRPCStatus)
}

/// The batches of operations that a server starts on a call.
enum ServerBatch {
    /// Asks to be told when the call is over.
    static func askForEnd(
        _ fields: UnsafeMutablePointer<csagamore_server_call>,
        tag: UnsafeMutableRawPointer
    ) -> grpc_call_error {
        var operation = grpc_op()
        operation.op = GRPC_OP_RECV_CLOSE_ON_SERVER
        operation.data.recv_close_on_server.cancelled = fields.pointer(to: \.cancelled)
        return grpc_call_start_batch(fields.pointee.call, &operation, 1, tag, nil)
    }

    /// Sends everything that an answer consists of: initial metadata, the message if there is one, the status.
    static func answer(
        _ fields: UnsafeMutablePointer<csagamore_server_call>,
        _ reply: ServerReply,
        trailers: [(key: String, value: [UInt8])],
        askingForEnd: Bool,
        tag: UnsafeMutableRawPointer
    ) -> grpc_call_error {
        switch reply {
        case .message(let bytes):
            let message = Slices.message(bytes)
            defer { grpc_byte_buffer_destroy(message) }
            return start(fields, message, nil, trailers, askingForEnd, tag)
        case .parts(let parts):
            let message = Slices.message(parts)
            defer { grpc_byte_buffer_destroy(message) }
            return start(fields, message, nil, trailers, askingForEnd, tag)
        case .status(let status):
            let status = status.fittedForTrailers()
            var trailers = trailers
            if let details = status.details { trailers.append(("grpc-status-details-bin", details)) }
            return start(fields, nil, status, trailers, askingForEnd, tag)
        }
    }

    private static func start(
        _ fields: UnsafeMutablePointer<csagamore_server_call>,
        _ message: UnsafeMutablePointer<grpc_byte_buffer>?,
        _ status: GRPCStatus?,
        _ trailers: [(key: String, value: [UInt8])],
        _ askingForEnd: Bool,
        _ tag: UnsafeMutableRawPointer
    ) -> grpc_call_error {
        withUnsafeTemporaryAllocation(of: grpc_op.self, capacity: 4) { operations in
            operations.initialize(repeating: grpc_op())
            operations[0].op = GRPC_OP_SEND_INITIAL_METADATA
            var count = 1
            if let message {
                operations[count].op = GRPC_OP_SEND_MESSAGE
                operations[count].data.send_message.send_message = message
                count += 1
            }
            if askingForEnd {
                operations[count].op = GRPC_OP_RECV_CLOSE_ON_SERVER
                operations[count].data.recv_close_on_server.cancelled = fields.pointer(to: \.cancelled)
                count += 1
            }
            operations[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER
            let code = grpc_status_code(Int32(status?.code.rawValue ?? 0))
            operations[count].data.send_status_from_server.status = code
            let last = count
            count += 1
            if status == nil, trailers.isEmpty {
                return grpc_call_start_batch(fields.pointee.call, operations.baseAddress, count, tag, nil)
            }
            var details = Slices.copy(status?.message ?? "")
            defer { grpc_slice_unref(details) }
            return withMetadata(trailers) { metadata in
                withUnsafeMutablePointer(to: &details) { details in
                    operations[last].data.send_status_from_server.status_details = details
                    operations[last].data.send_status_from_server.trailing_metadata_count = metadata.count
                    operations[last].data.send_status_from_server.trailing_metadata = metadata.baseAddress
                    return grpc_call_start_batch(fields.pointee.call, operations.baseAddress, count, tag, nil)
                }
            }
        }
    }

    /// The entries in the C core's form, for the time of `body`; it takes references of its own.
    static func withMetadata<Result>(
        _ entries: [(key: String, value: [UInt8])],
        _ body: (UnsafeMutableBufferPointer<grpc_metadata>) -> Result
    ) -> Result {
        var list = entries.map { entry in
            var metadata = grpc_metadata()
            metadata.key = Slices.copy(entry.key)
            metadata.value = Slices.copy(entry.value)
            return metadata
        }
        defer {
            for metadata in list {
                grpc_slice_unref(metadata.key)
                grpc_slice_unref(metadata.value)
            }
        }
        return list.withUnsafeMutableBufferPointer { body($0) }
    }
}
