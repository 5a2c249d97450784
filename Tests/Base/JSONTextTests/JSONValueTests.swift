import SagamoreJSONText
import Testing

@Suite struct JSONValueTests {
    @Test func aTextIsTheSameAfterParsingAndPrinting() throws {
        let text =
            #"{"b":[1,2.50,1E+2,-0,true,false,null,"x\n"],"a":{"z":{},"y":[]},"é":123456789012345678901234567890}"#
        #expect(try JSONValue.parse(text).text() == text)
    }

    @Test func keysAreSortedByTheirBytesWhenAsked() throws {
        let value = try JSONValue.parse(#"{"b":1,"a":{"d":1,"c":2},"B":[{"f":1,"e":2}]}"#)
        #expect(value.text(sortedKeys: true) == #"{"B":[{"e":2,"f":1}],"a":{"c":2,"d":1},"b":1}"#)
    }

    @Test func prettyPrintingIndentsByTwoSpaces() {
        let value: JSONValue = ["a": [1, [:], []], "b": ["c": nil]]
        #expect(
            value.text(pretty: true) == """
                {
                  "a": [
                    1,
                    {},
                    []
                  ],
                  "b": {
                    "c": null
                  }
                }
                """
        )
    }

    @Test func partsAreFound() throws {
        let value = try JSONValue.parse(#"{"s":"t","n":[1,2.5],"b":true,"z":null}"#)
        #expect(value["s"]?.string == "t")
        #expect(value["n"]?[0]?.int64 == 1)
        #expect(value["n"]?[1]?.double == 2.5)
        #expect(value["n"]?[1]?.int64 == nil)
        #expect(value["n"]?[2] == nil)
        #expect(value["b"]?.bool == true)
        #expect(value["z"]?.kind == .null)
        #expect(value["missing"] == nil)
        #expect(value["s"]?["t"] == nil)
    }

    @Test func anObjectIsChangedInPlace() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = "new"
        object["c"] = true
        object["b"] = nil
        #expect(JSONValue.object(object).text() == #"{"a":"new","c":true}"#)
    }

    @Test func theOrderOfMembersDoesNotMatterForEquality() {
        #expect(["a": 1, "b": ["c": 2, "d": 3]] as JSONValue == ["b": ["d": 3, "c": 2], "a": 1])
        #expect(["a": 1] as JSONValue != ["a": 2])
        #expect(["a": 1] as JSONValue != ["a": 1, "b": 2])
    }

    @Test func aRepeatedKeyIsAnErrorAtEveryDepth() {
        do {
            _ = try JSONValue.parse(#"[{"a":1,"\u0061":2}]"#)
            Issue.record("accepted")
        } catch {
            #expect(error.code == .duplicateKey)
            #expect(error.offset == 8)
        }
    }

    @Test(arguments: ["", "[1,]", "{\"a\":}", "1 2", "tru", "\"\\ud800\"", "[" + String(repeating: "[", count: 128)])
    func aBrokenTextIsRefused(text: String) {
        #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    }

    @Test func numbersAreMadeOfValidTextOnly() {
        for text in ["", "01", "1.", "abc", "1 ", "+1", "NaN"] { #expect(JSONNumber(text: text) == nil) }
        #expect(JSONNumber(text: "-1.5e9")?.text == "-1.5e9")
        #expect(JSONNumber(7).text == "7")
        #expect(JSONNumber(Double.nan) == nil)
        #expect(JSONNumber(0.1)?.double == 0.1)
    }
}
