import SagamoreJSONText
import Testing

@Suite struct JSONScannerTests {
    private func members(_ text: String, depthLimit: Int = 128) throws(JSONError) -> [JSONMember] {
        try JSONScanner.members(of: Array(text.utf8), depthLimit: depthLimit)
    }

    @Test func findsEveryMemberWithItsKindAndBytes() throws {
        let text = """
             { "command_id" : "2", "n":-1.5e3 ,"yes":true,"no":false,"nothing":null,
            "input":{"car":["a",{}],"x":[]}, "list":[1, 2] } \n
            """
        let bytes = Array(text.utf8)
        let members = try JSONScanner.members(of: bytes)
        #expect(members.map(\.key) == ["command_id", "n", "yes", "no", "nothing", "input", "list"])
        #expect(members.map(\.kind) == [.string, .number, .bool, .bool, .null, .object, .array])
        #expect(
            members.map { String(decoding: bytes[$0.range], as: UTF8.self) }
                == ["\"2\"", "-1.5e3", "true", "false", "null", #"{"car":["a",{}],"x":[]}"#, "[1, 2]"]
        )
        #expect(members.allSatisfy { !$0.isDuplicate })
    }

    @Test(arguments: ["{}", " \t\r\n{ }\n"]) func anEmptyObjectHasNoMembers(text: String) throws {
        #expect(try members(text).isEmpty)
    }

    @Test func keysAreUnescaped() throws {
        #expect(try members(#"{"a\u0062c\n\ud83d\ude00":1}"#).map(\.key) == ["abc\n😀"])
    }

    @Test func aRepeatedKeyIsReportedHoweverItIsSpelt() throws {
        #expect(try members(#"{"id":1,"x":2,"\u0069d":3}"#).map(\.isDuplicate) == [false, false, true])
    }

    @Test func keysAreComparedByBytesNotByLetters() throws {
        #expect(try members("{\"\u{E9}\":1,\"e\u{301}\":2}").map(\.isDuplicate) == [false, false])
    }

    @Test func aRepeatedKeyIsReportedAmongMany() throws {
        let keys = (0..<100).map { "\"key \($0)\":0" } + ["\"key 3\":0", "\"key 99\":0", "\"key 100\":0"]
        let repeated = try members("{\(keys.joined(separator: ","))}").filter(\.isDuplicate).map(\.key)
        #expect(repeated == ["key 3", "key 99"])
    }

    @Test(arguments: ["[]", " \"x\" ", "1", "true", "null"]) func anotherValueIsNoObject(text: String) {
        do {
            _ = try members(text)
            Issue.record("accepted")
        } catch {
            #expect(error.code == .notAnObject)
        }
    }

    struct Broken: Sendable {
        var text: String
        var code: JSONError.Code
        var offset: Int

        init(_ text: String, _ code: JSONError.Code, _ offset: Int) {
            (self.text, self.code, self.offset) = (text, code, offset)
        }
    }

    @Test(arguments: [
        Broken("", .unexpectedEnd, 0),
        Broken("  ", .unexpectedEnd, 2),
        Broken("\u{FEFF}{}", .unexpectedByte, 0),
        Broken("{", .unexpectedEnd, 1),
        Broken("{\"a\"", .unexpectedEnd, 4),
        Broken("{\"a\":", .unexpectedEnd, 5),
        Broken("{\"a\":1", .unexpectedEnd, 6),
        Broken("{\"a\":1,", .unexpectedEnd, 7),
        Broken("{\"a\":1,}", .unexpectedByte, 7),
        Broken("{,}", .unexpectedByte, 1),
        Broken("{a:1}", .unexpectedByte, 1),
        Broken("{'a':1}", .unexpectedByte, 1),
        Broken("{\"a\" 1}", .unexpectedByte, 5),
        Broken("{\"a\":1 \"b\":2}", .unexpectedByte, 7),
        Broken("{\"a\":1}{", .trailingBytes, 7),
        Broken("{}\u{0}", .trailingBytes, 2),
        Broken("{\"a\":[1,]}", .unexpectedByte, 8),
        Broken("{\"a\":[1 2]}", .unexpectedByte, 8),
        Broken("{\"a\":[1}", .unexpectedByte, 7),
        Broken("{\"a\":{\"b\"}}", .unexpectedByte, 9),
        Broken("{\"a\":tru}", .unexpectedByte, 8),
        Broken("{\"a\":nulL}", .unexpectedByte, 8),
        Broken("{\"a\":fals", .unexpectedEnd, 9),
        Broken("{\"a\":NaN}", .unexpectedByte, 5),
        Broken("{\"a\":/**/1}", .unexpectedByte, 5),
        Broken("{\"a\":01}", .invalidNumber, 6),
        Broken("{\"a\":-}", .invalidNumber, 6),
        Broken("{\"a\":-01}", .invalidNumber, 7),
        Broken("{\"a\":1.}", .invalidNumber, 7),
        Broken("{\"a\":1.e3}", .invalidNumber, 7),
        Broken("{\"a\":1e}", .invalidNumber, 7),
        Broken("{\"a\":1e+}", .invalidNumber, 8),
        Broken("{\"a\":.5}", .unexpectedByte, 5),
        Broken("{\"a\":+5}", .unexpectedByte, 5),
        Broken("{\"a\":0x1}", .unexpectedByte, 6),
        Broken("{\"a\":-", .unexpectedEnd, 6),
        Broken("{\"a\":\"\n\"}", .controlCharacter, 6),
        Broken("{\"a\":\"12345678\u{1F}12345678\"}", .controlCharacter, 14),
        Broken("{\"a\u{0}\":1}", .controlCharacter, 3),
        Broken("{\"a\":\"", .unexpectedEnd, 6),
        Broken("{\"a\":\"\\", .unexpectedEnd, 7),
        Broken("{\"a\":\"\\x\"}", .invalidEscape, 6),
        Broken("{\"a\":\"\\u12g4\"}", .invalidEscape, 6),
        Broken("{\"a\":\"\\u12", .unexpectedEnd, 10),
        Broken("{\"a\":\"\\ud800\"}", .loneSurrogate, 6),
        Broken("{\"a\":\"\\ud800\\n\"}", .loneSurrogate, 6),
        Broken("{\"a\":\"\\ud800\\u0041\"}", .loneSurrogate, 6),
        Broken("{\"a\":\"\\ud800\\ud800\"}", .loneSurrogate, 6),
        Broken("{\"a\":\"\\udc00\"}", .loneSurrogate, 6),
        Broken("{\"deep\":{\"a\":[\"\\udfff\"]}}", .loneSurrogate, 15),
    ])
    func aBrokenTextIsRefusedWhereItBreaks(broken: Broken) throws {
        do {
            _ = try members(broken.text)
            Issue.record("accepted: \(broken.text)")
        } catch {
            #expect(error.code == broken.code, "\(broken.text)")
            #expect(error.offset == broken.offset, "\(broken.text)")
        }
    }

    /// Overlong forms, surrogates, too large, cut off, continuation without a start: the table of RFC 3629.
    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x22], [0xE0, 0x9F, 0xBF], [0xE1, 0x80],
            [0xE1, 0x80, 0x22], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF1, 0x80, 0x80],
            [0xF1, 0x80, 0x80, 0x7F], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE],
        ] as [[UInt8]]
    )
    func bytesThatAreNoUTF8AreRefused(bytes: [UInt8]) {
        for prefix in ["", "1234567", "12345678", "é"] {
            let text = Array("{\"a\":\"\(prefix)".utf8)
            do {
                _ = try JSONScanner.members(of: text + bytes + Array("\"}".utf8))
                Issue.record("accepted")
            } catch {
                #expect(error.code == .invalidUTF8)
                #expect(error.offset == text.count)
            }
        }
    }

    @Test func everyScalarOfUnicodeIsAccepted() throws {
        for first in stride(from: UInt32(0x20), to: 0x110000, by: 0x400) {
            var text = ""
            for value in first..<min(first + 0x400, 0x110000) where value != 0x22 && value != 0x5C {
                if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
            }
            let bytes = Array("\"\(text)\"".utf8)
            let read = try JSONScanner.string(bytes, 0..<bytes.count)
            #expect(read.utf8.elementsEqual(text.utf8))
        }
    }

    @Test func depthIsCountedFromTheTopLevel() throws {
        let deepest = "{\"a\":" + String(repeating: "[", count: 127) + String(repeating: "]", count: 127) + "}"
        #expect(try members(deepest).count == 1)
        let tooDeep = "{\"a\":" + String(repeating: "[", count: 128) + String(repeating: "]", count: 128) + "}"
        do {
            _ = try members(tooDeep)
            Issue.record("accepted")
        } catch {
            #expect(error.code == .tooDeep)
            #expect(error.offset == 5 + 127)
        }
        #expect(throws: JSONError.self) { try members("{\"a\":{}}", depthLimit: 1) }
        #expect(try members("{\"a\":1}", depthLimit: 1).count == 1)
    }

    @Test func endlessOpeningBracketsAreAnErrorNotACrash() {
        #expect(throws: JSONError.self) { try members(String(repeating: "{\"a\":", count: 1_000_000)) }
        #expect(throws: JSONError.self) {
            try members(String(repeating: "[", count: 1_000_000), depthLimit: 1000)
        }
    }

    /// Special characters at every offset within the eight-byte steps, alone and next to others.
    @Test func longStringsAreReadAtEveryAlignment() throws {
        for special in ["\\n", "\\\"", "\\u0041", "é", "😀", "\\ud83d\\ude00"] {
            for before in 0..<20 {
                for after in 0..<20 {
                    let raw = String(repeating: "x", count: before) + special + String(repeating: "~", count: after)
                    let bytes = Array("{\"k\":\"\(raw)\"}".utf8)
                    let members = try JSONScanner.members(of: bytes)
                    let text = try JSONScanner.string(bytes, members[0].range)
                    #expect(text.hasPrefix(String(repeating: "x", count: before)))
                    #expect(text.hasSuffix(String(repeating: "~", count: after)))
                    #expect(text.unicodeScalars.count == before + after + 1)
                }
            }
        }
    }

    /// Every truncation and every changed byte of a valid text yields members or an error, and every accepted scalar
    /// can be read.
    @Test func mutatedTextsEndInMembersOrAnError() throws {
        let original = Array(
            #"{"command_id":"2","n":[-1.5e-3,0,{"a":"\u00e9\ud83d\ude00é😀"}],"t":true,"z":null}"#.utf8
        )
        var accepted = 0
        for index in original.indices {
            _ = try? JSONScanner.members(of: Array(original[..<index]))
            for byte in UInt8.min...UInt8.max {
                var mutated = original
                mutated[index] = byte
                guard let members = try? JSONScanner.members(of: mutated) else { continue }
                accepted += 1
                for member in members {
                    switch member.kind {
                    case .string: _ = try JSONScanner.string(mutated, member.range)
                    case .number: _ = try JSONScanner.double(mutated, member.range)
                    case .bool: _ = try JSONScanner.bool(mutated, member.range)
                    case .null, .object, .array: try JSONScanner.validate(Array(mutated[member.range]))
                    }
                }
            }
        }
        #expect(accepted > original.count)
    }
}
