import Testing

@testable import SagamoreCommandLineArguments

@Suite struct SuggestionTests {
    @Test(arguments: [
        ("", "", 0), ("abc", "", 3), ("", "abc", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "ab", 1),
        ("ab", "abc", 1), ("abc", "acb", 1), ("kitten", "sitting", 3), ("ca", "abc", 3),
    ]) func distancesCountEdits(left: String, right: String, distance: Int) {
        #expect(Suggestion.distance(Array(left), Array(right)) == distance)
    }

    @Test func onlyWhatIsNearIsSuggested() {
        let candidates = ["--port", "--postgres", "--http-port", "--help"]
        #expect(Suggestion.nearest(to: "--prot", among: candidates) == "--port")
        #expect(Suggestion.nearest(to: "--post", among: candidates) == "--port")
        #expect(Suggestion.nearest(to: "--postg", among: candidates) == "--postgres")
        #expect(Suggestion.nearest(to: "--banana", among: candidates) == nil)
    }
}
