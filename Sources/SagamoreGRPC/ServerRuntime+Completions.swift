internal import CSagamoreGRPC
internal import Glibc

extension ServerRuntime {
    /// Asks the C core for further calls.
    func post(_ slot: RequestSlot, count: Int) {
        for _ in 0..<max(1, count) { post(slot) }
    }

    /// Asks the C core for one further call.
    func post(_ slot: RequestSlot) {
        let record = ServerCallRecord(slot: slot, table: calls)
        let fields = record.fields
        let tag = ServerTag.make(record, .call)
        let code: grpc_call_error
        if let handle = slot.handle {
            code = grpc_server_request_registered_call(
                server,
                handle,
                fields.pointer(to: \.call),
                fields.pointer(to: \.deadline),
                fields.pointer(to: \.metadata),
                fields.pointer(to: \.payload),
                slot.queue,
                slot.queue,
                tag
            )
        } else {
            code = grpc_server_request_call(
                server,
                fields.pointer(to: \.call),
                fields.pointer(to: \.details),
                fields.pointer(to: \.metadata),
                slot.queue,
                slot.queue,
                tag
            )
        }
        if code != GRPC_CALL_OK {
            // Only while the server ends: there are no further calls then.
            withExtendedLifetime(ServerTag.take(tag, .call)) {}
        }
    }

    /// The body of a completion thread.
    func empty(_ queue: OpaquePointer) {
        let inflater = MessageInflater(limit: maximumMessageBytes)
        var pace = CallPace()
        while true {
            let event = Self.next(of: queue, pace)
            guard event.type == GRPC_OP_COMPLETE, let tag = event.tag else { return }
            let success = event.success != 0
            switch ServerTag.kind(tag) {
            case .call:
                pace.came { .now }
                let record = ServerTag.take(tag, .call)
                // Without success the server ends, and the request comes back empty.
                if success { arrived(record, inflater) }
            case .answer:
                let record = ServerTag.take(tag, .answer)
                record.answered(success: success, cancelled: record.fields.pointee.cancelled != 0)
            case .end:
                let record = ServerTag.take(tag, .end)
                record.ended(cancelled: record.fields.pointee.cancelled != 0)
            case .shutdown:
                progress.change { $0.isQuiet = true }
            }
        }
    }

    /// Waits for the queue's next event.
    private static func next(of queue: OpaquePointer, _ pace: CallPace) -> grpc_event {
        if pace.isBusy {
            let event = grpc_completion_queue_next(queue, gpr_inf_past(GPR_CLOCK_MONOTONIC), nil)
            guard event.type == GRPC_QUEUE_TIMEOUT else { return event }
            usleep(UInt32(CallPace.pause / .microseconds(1)))
        }
        return grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), nil)
    }

    private func arrived(_ record: ServerCallRecord, _ inflater: MessageInflater) {
        let slot = record.slot
        post(slot)
        if isDraining.load(ordering: .relaxed) {
            progress.change { $0.refused += 1 }
            record.answer(.status(GRPCStatus(.unavailable, "the server is shutting down: try again")))
            return
        }
        guard slot.handle != nil else {
            slot.method.handler(GRPCServerCall(record))
            return
        }
        do throws(GRPCStatus) {
            try record.receiveRequest(inflater)
        } catch {
            record.answer(.status(error))
            return
        }
        if slot.method.kind == .hot, record.requestBytes.count <= hotRequestBytes {
            let call = GRPCServerCall(record)
            slot.method.handler(call)
            if !record.keepForLater() { record.abandon() }
        } else {
            queue(record)
        }
    }

    /// Hands a call to the pool.
    private func queue(_ record: ServerCallRecord) {
        let slot = record.slot
        let call = GRPCServerCall(record)
        guard record.keepForLater() else {
            record.abandon()
            return
        }
        // A hot method's large request is never refused: the C core holds its bytes already, and how many there can be
        // is bounded by the streams of the connections.
        guard pool.submit(always: slot.method.kind == .hot, { slot.method.handler(call) }) else {
            call.fail(GRPCStatus(.resourceExhausted, "the server has too many calls waiting: try again later"))
            return
        }
    }
}
