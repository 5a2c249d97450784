import SagamoreYAML
import Testing

@Suite struct YAMLTests {
    private struct Shop: Decodable, Equatable {
        var name: String
        var port: UInt16
        var isOpen: Bool?
        var prices: [Double]?
        var owners: [Owner]?
        var labels: [String: String]?

        struct Owner: Decodable, Equatable {
            var name: String
            var share: Int
        }
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws(YAMLError) -> Value {
        try YAMLDecoder.decode(type, from: try YAMLParser.parse(text))
    }

    @Test func aDocumentBecomesAValue() throws {
        let text = """
            # a shop
            name: "Ada's"
            port: 7233
            isOpen: true
            prices: [1, 2.5]
            owners:
              - name: Ada
                share: 60
              - {name: 'Bob', share: 40}
            labels:
              city: Rome
              zip: 00100
            """
        #expect(
            try decode(Shop.self, text)
                == Shop(
                    name: "Ada's",
                    port: 7_233,
                    isOpen: true,
                    prices: [1, 2.5],
                    owners: [Shop.Owner(name: "Ada", share: 60), Shop.Owner(name: "Bob", share: 40)],
                    labels: ["city": "Rome", "zip": "00100"]
                )
        )
    }

    @Test func anchorsAreWhatTheyStandFor() throws {
        let text = "a: &one {name: Ada, share: 1}\nb: *one\n"
        #expect(try decode([String: Shop.Owner].self, text)["b"] == Shop.Owner(name: "Ada", share: 1))
    }

    @Test(
        arguments: [
            ("name: a\nport: 7233\nprot: 1\n", "3:1: unknown key 'prot'"),
            ("name: a\nport: 70000\n", "2:7: expected a whole number from 0 to 65535, found '70000'"),
            ("name: a\nport: '7233'\n", "2:7: expected a whole number from 0 to 65535, found text"),
            ("name: a\nport: [1]\n", "2:7: expected a whole number from 0 to 65535, found a list"),
            ("name: a\nport: 1\nisOpen: yes\n", "3:9: expected true or false, found 'yes'"),
            ("name: a\n", "1:1: 'port' is missing"),
            ("name:\nport: 1\n", "1:6: expected text, found nothing"),
            ("name: a\nport: 1\nport: 2\n", "3:1: 'port' is there already, in line 2"),
            ("name: a\nowners:\n  - name: b\n    share: 1\n    x: 2\nport: 1\n", "5:5: unknown key 'x'"),
            ("- a\n", "1:1: expected a section (keys with values), found a list"),
            ("name: a\n\tport: 1\n", "2:1: the line is indented with a tab; YAML is indented with spaces"),
            ("name: a\n---\nname: b\n", "2:1: a second document; one is expected"),
            ("name: !!str a\n", "1:7: tags ('!…') are not supported"),
            ("name: *nobody\n", "1:7: there is no anchor '&nobody' above"),
            ("? [a]\n: 1\n", "1:3: a key is a word, not a list or a section"),
            ("name: 'a\n", "2:1: found unexpected end of stream while scanning a quoted scalar"),
            ("name: a\u{1}\n", "1:8: control characters are not allowed"),
        ]
    )
    func mistakesAreSaidWithTheirPlace(text: String, message: String) {
        let error = #expect(throws: YAMLError.self) { try decode(Shop.self, text) }
        #expect(error?.description == message)
    }

    @Test func anUnknownKeyComesWithThoseThatAreKnown() {
        let error = #expect(throws: YAMLError.self) { try decode(Shop.self, "name: a\nport: 1\nprot: 1\n") }
        guard case .unknownKey("prot", let known) = error?.code else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(known == ["isOpen", "labels", "name", "owners", "port", "prices"])
    }

    /// Aliases of aliases would make gigabytes of a few lines.
    @Test func documentsAreBounded() {
        let deep = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        #expect(throws: YAMLError.self) { try YAMLParser.parse(deep) }
        var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...8 {
            laughs +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",") + "]\n"
        }
        let error = #expect(throws: YAMLError.self) { try YAMLParser.parse(laughs) }
        #expect(error?.message == "too many values")
    }

    @Test func anEmptyDocumentIsASectionWithoutKeys() throws {
        struct Empty: Decodable, Equatable { var name: String? }
        for text in ["", "# nothing\n", "---\n", "~\n"] { #expect(try decode(Empty.self, text) == Empty(name: nil)) }
    }

    @Test func anyBytesAreReadOrRefused() {
        // Each single change of a document, to find what crashes.
        let document = Array("name: \"Ada's\" # x\nowners:\n  - &a {name: 'Bob', share: 40}\n  - *a\n".utf8)
        for index in document.indices {
            for byte: UInt8 in [0, 9, 10, 0x22, 0x27, 0x2A, 0x26, 0x7B, 0x5B, 0x3A, 0x80, 0xFF] {
                var changed = document
                changed[index] = byte
                _ = try? YAMLParser.parse(String(decoding: changed, as: UTF8.self))
            }
        }
    }
}
