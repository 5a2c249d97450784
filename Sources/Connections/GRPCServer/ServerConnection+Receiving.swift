internal import CSagamoreHTTP2
internal import Glibc
internal import SagamoreGRPC

extension ServerConnection {
    /// Reads what has come, and puts calls whose requests have become whole into `ready`. True: there may be more.
    ///
    /// - Parameters:
    ///   - place: memory to read into.
    ///   - plain: memory for decrypted bytes.
    func receive(
        _ place: UnsafeMutableRawBufferPointer,
        _ plain: UnsafeMutableRawBufferPointer,
        now: ContinuousClock.Instant
    ) -> Bool {
        let count = recv(descriptor, place.baseAddress, place.count, 0)
        guard count > 0 else {
            if count == 0 || (errno != EAGAIN && errno != EINTR) { close() }
            return false
        }
        times.heard(at: now)
        if case .lingering = stage { return false }
        let bytes = UnsafeRawBufferPointer(rebasing: place[..<count])
        let isFine: Bool
        if let tls {
            isFine = tls.receive(bytes, into: plain) { session?.receive($0) ?? false }
        } else {
            isFine = session?.receive(bytes) ?? false
        }
        if !isFine { breakOff() }
        return isFine && count == place.count
    }

    // MARK: What the session tells

    /// The call of a stream, if it is not over.
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

    /// A whole frame has come.
    ///
    /// - Parameter isRequest: it ends the header fields that begin a call. Fields after the message mean nothing here.
    func received(_ frame: nghttp2_frame_hd, isRequest: Bool) {
        if isRequest {
            begin(frame.stream_id)
        } else if frame.isSettings {
            isGreeted = true
        }
        guard frame.endsStream, let record = call(of: frame.stream_id) else { return }
        record.transfer.isRequestWhole = true
        if !record.transfer.isRefused { finish(record) }
    }

    func pinged(_ content: UInt64) {
        if let due = pings.came(content, at: .now) {
            times.due(at: due)
        } else {
            session?.goAway(NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings")
            endCalls(GRPCStatus(.unavailable, "the connection ends: its client pings too often"))
        }
    }

    private func begin(_ stream: Int32) {
        let record = ServerCallRecord(stream: stream, connection: self, head: head.end())
        session?.remember(calls.insert(record), of: stream)
        times.used()
        check(record)
    }

    /// The header fields of a request are there.
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
            record.method = try context.method(head.path)
            if case .unknown(let name) = head.encoding {
                throw GRPCStatus(.unimplemented, "this server can't unpack \(name): it knows gzip and deflate")
            }
            guard !head.isTimeoutMalformed else {
                throw GRPCStatus(.internalError, "the call's grpc-timeout is none: up to eight digits and a unit")
            }
        } catch {
            record.refuse(error)
            return
        }
        if let timeout = head.timeout {
            let deadline = ContinuousClock.now + timeout
            record.deadline = deadline
            times.due(at: deadline)
        }
    }

    /// The whole request is there.
    private func finish(_ record: ServerCallRecord) {
        guard record.request.isComplete else {
            let text = record.request.isEmpty ? "the call carried no message" : "the call ended within its message"
            record.refuse(GRPCStatus(.internalError, text))
            return
        }
        ready.append(record)
    }

    func sentLastFrame(stream: Int32) {
        guard let record = call(of: stream) else { return }
        record.transfer.isSentWhole = true
        // Whatever the client still wants to say: nobody listens.
        if !record.transfer.isRequestWhole { session?.reset(stream) }
    }

    func closed(stream: Int32) {
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
