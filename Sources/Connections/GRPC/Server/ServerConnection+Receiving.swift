internal import CSagamoreHTTP2

extension ServerConnection {
    /// Reads input, and adds calls with complete requests to `ready`. Returns whether there may be more input.
    ///
    /// - Parameters:
    ///   - place: the buffer to read into.
    ///   - plain: the buffer for decrypted bytes.
    func receive(
        _ place: UnsafeMutableRawBufferPointer,
        _ plain: UnsafeMutableRawBufferPointer,
        now: ContinuousClock.Instant
    ) -> Bool {
        let bytes: UnsafeRawBufferPointer
        switch read(into: place) {
        case .nothing: return false
        case .ended:
            close()
            return false
        case .bytes(let more): bytes = more
        }
        times.heard(at: now)
        if case .lingering = stage { return false }
        let isFine = take(bytes, plain)
        if !isFine { endAfterProtocolError() }
        return isFine && bytes.count == place.count
    }

    // MARK: What the session reports

    /// The call of a stream, if it is open.
    func call(of stream: Int32) -> ServerCallRecord? {
        guard let place = session?.place(of: stream) else { return nil }
        return calls[place]
    }

    func data(stream: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard let record = call(of: stream), !record.transfer.isRefused else { return }
        do throws(GRPCStatus) {
            try record.request.append(bytes, limit: context.configuration.maximumMessageBytes)
        } catch {
            record.refuse(error)
        }
    }

    /// A complete frame has arrived.
    ///
    /// - Parameter isRequest: whether it ends the header fields of a new call. Trailers of a request are ignored.
    func take(_ frame: nghttp2_frame_hd, isRequest: Bool) {
        if isRequest {
            begin(frame.stream_id)
        } else if frame.isSettings {
            isGreeted = true
        }
        guard frame.endsStream, let record = call(of: frame.stream_id) else { return }
        record.transfer.isRequestWhole = true
        record.requestDeadline = nil
        if !record.transfer.isRefused { finish(record) }
    }

    func answer(ping content: UInt64) {
        if let due = pings.received(content, at: .now) {
            times.due(at: due)
        } else {
            session?.goAway(NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings")
            endCalls(GRPCStatus(.unavailable, "the connection is closed: the client pings too often"))
        }
    }

    private func begin(_ stream: Int32) {
        let record = ServerCallRecord(stream: stream, connection: self, head: head.end())
        session?.remember(calls.insert(record), of: stream)
        times.used()
        check(record)
    }

    /// Checks a call after its header fields are complete.
    private func check(_ record: ServerCallRecord) {
        let head = record.head
        let limit = context.configuration.maximumMetadataBytes
        guard head.size <= limit else {
            record.refuse(GRPCStatus(.resourceExhausted, "the call's metadata is larger than \(limit) bytes"))
            return
        }
        guard head.isPost, head.isGRPC else {
            record.transfer.isRefused = true
            record.transfer.isSubmitted = true
            session?.submit(httpStatus: head.isPost ? "415" : "405", to: record.stream)
            return
        }
        do throws(GRPCStatus) {
            if let authentication = context.authentication {
                record.caller = try authentication(GRPCCallHead(head, self))
            }
            record.method = try context.method(head.path)
            if case .unknown(let name) = head.encoding {
                throw GRPCStatus(.unimplemented, "the encoding \(name) is not supported: use gzip or deflate")
            }
            guard !head.isTimeoutMalformed else {
                throw GRPCStatus(
                    .internalError,
                    "the grpc-timeout is invalid: it must be up to eight digits and a unit"
                )
            }
        } catch {
            record.refuse(error)
            return
        }
        // Nearly every request is complete with the frame that follows: the timer looks once in a while.
        let requestDeadline = times.lastHeardAt + context.configuration.requestTimeout
        record.requestDeadline = requestDeadline
        times.due(at: requestDeadline)
        if let timeout = head.timeout {
            let deadline = ContinuousClock.now + timeout
            record.deadline = deadline
            times.due(at: deadline)
        }
    }

    /// The request is complete.
    private func finish(_ record: ServerCallRecord) {
        guard record.request.isComplete else {
            let text = record.request.isEmpty ? "the request has no message" : "the request ends inside its message"
            record.refuse(GRPCStatus(.internalError, text))
            return
        }
        ready.append(record)
    }

    func ended(stream: Int32) {
        guard let record = call(of: stream) else { return }
        record.transfer.isSentWhole = true
        // The rest of the request is not needed.
        if !record.transfer.isRequestWhole { session?.reset(stream) }
    }

    func forget(stream: Int32) {
        guard let place = session?.place(of: stream), let record = calls.remove(place) else { return }
        record.transfer.isOver = true
        times.used()
        if !record.transfer.isSentWhole {
            record.cancel()
        } else if record.transfer.isAwaited {
            sent.append(record)
        }
    }
}
