import FoundationEssentials
import SagamoreAPI
import SagamoreProtobuf
import Testing

@testable import Sagamore

@Suite struct PayloadTests {
    private struct Sample: Codable, Sendable, Equatable {
        var zebra = 1
        var apple = ["x": 1.5, "a": 2]
        var mango: String?
    }

    private func payload<Value: Codable>(_ value: Value) throws -> Payload {
        try #require(try PayloadCoding.decoded(try PayloadCoding.list(value)).payloads.first)
    }

    private func encoding(_ payload: Payload) -> String {
        String(decoding: payload.metadata["encoding"] ?? [], as: UTF8.self)
    }

    @Test func keysAreSortedSoThatEveryProcessWritesTheSame() throws {
        let written = try payload(Sample())
        #expect(encoding(written) == "json/plain")
        #expect(String(decoding: written.data, as: UTF8.self) == #"{"apple":{"a":2,"x":1.5},"zebra":1}"#)
        #expect(try PayloadCoding.decode(written, as: Sample.self) == Sample())
    }

    @Test func scalarsAreJSON() throws {
        #expect(String(decoding: try payload("a \"b\"\n").data, as: UTF8.self) == #""a \"b\"\n""#)
        #expect(String(decoding: try payload(-5).data, as: UTF8.self) == "-5")
        #expect(String(decoding: try payload(true).data, as: UTF8.self) == "true")
        #expect(try PayloadCoding.decode(try payload("täglich ☀︎"), as: String.self) == "täglich ☀︎")
    }

    @Test func nothingIsNull() throws {
        #expect(encoding(try payload(Nothing())) == "binary/null")
        #expect(encoding(try payload(String?.none)) == "binary/null")
        #expect(try PayloadCoding.decode(try payload(String?.none), as: String?.self) == nil)
        #expect(try PayloadCoding.arguments(Nothing()) == nil)
        #expect(try PayloadCoding.first(nil, as: Nothing.self) == Nothing())
        #expect(try PayloadCoding.first(nil, as: Int?.self) == nil)
    }

    @Test func bytesArePlain() throws {
        let bytes: [UInt8] = [0, 1, 255]
        #expect(encoding(try payload(bytes)) == "binary/plain")
        #expect(try PayloadCoding.decode(try payload(bytes), as: [UInt8].self) == bytes)
        #expect(try PayloadCoding.decode(try payload(Data(bytes)), as: Data.self) == Data(bytes))
    }

    @Test func anEmptyListIsAListWhateverItsElements() throws {
        #expect(String(decoding: try payload([String]()).data, as: UTF8.self) == "[]")
        #expect(encoding(try payload([String]())) == "json/plain")
        #expect(try PayloadCoding.decode(try payload([Int]()), as: [Int].self) == [])
        #expect(encoding(try payload([UInt8]())) == "binary/plain")
        #expect(encoding(try payload([UInt8]?.some([7]))) == "binary/plain")
        let error = #expect(throws: DataError.self) {
            try PayloadCoding.decode(try payload([UInt8]()), as: [String].self)
        }
        #expect(error?.code == .otherType)
    }

    @Test func whatIsWrongIsNamedWithItsPlace() throws {
        let missing = #expect(throws: DataError.self) { try PayloadCoding.first(nil, as: Int.self) }
        #expect(missing?.code == .missing)
        let other = #expect(throws: DataError.self) {
            try PayloadCoding.decode(try payload(["zebra": "secret"]), as: Sample.self)
        }
        #expect(other?.code == .otherType)
        #expect(other?.message.contains("'zebra'") == true || other?.message.contains("'apple'") == true)
        #expect(other?.message.contains("secret") == false)
        var unknown = try payload(1)
        unknown.metadata["encoding"] = Array("binary/encrypted".utf8)
        let error = #expect(throws: DataError.self) { try PayloadCoding.decode(unknown, as: Int.self) }
        #expect(error?.code == .unknownEncoding)
    }

    @Test func failuresSurviveTheWire() throws {
        let original = ActivityError(
            activity: "book",
            activityID: "3",
            retryState: .maximumAttemptsReached,
            cause: ApplicationError(
                "no",
                type: "Full",
                isNonRetryable: true,
                details: try EncodedValues(["seat": 4]),
                nextRetryDelay: .milliseconds(1500),
                cause: TimeoutError(
                    message: "slow",
                    kind: .heartbeat,
                    lastHeartbeatDetails: EncodedValues(),
                    cause: nil
                )
            )
        )
        let raw = RawMessage(FailureCoding.failure(original))
        let read = try #require(FailureCoding.error(raw) as? ActivityError)
        #expect(read.activity == "book" && read.activityID == "3" && read.retryState == .maximumAttemptsReached)
        let cause = try #require(read.cause as? ApplicationError)
        #expect(cause.type == "Full" && cause.isNonRetryable && cause.nextRetryDelay == .milliseconds(1500))
        #expect(try cause.details.decode([String: Int].self) == ["seat": 4])
        #expect((cause.cause as? TimeoutError)?.kind == .heartbeat)
    }
}
