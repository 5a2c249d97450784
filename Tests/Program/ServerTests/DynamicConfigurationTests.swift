import SagamoreEngine
import SagamoreServer
import Testing

/// Settings by the keys of Temporal's dynamic configuration.
@Suite struct DynamicConfigurationTests {
    private func problem(_ setting: String) -> String? {
        var configuration = DynamicConfiguration()
        do throws(ServerError) {
            try configuration.set(setting)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func settingsChangeTheirLimitsOnly() throws {
        var configuration = DynamicConfiguration()
        #expect(configuration.limits == Limits())
        try configuration.set("limit.historyCount.suggestContinueAsNew=50")
        try configuration.set("LIMIT.BLOBSIZE.ERROR=1000")
        try configuration.set("limit.blobSize.error=2000")
        var expected = Limits()
        expected.suggestedEvents = 50
        expected.payloadBytes = 2_000
        #expect(configuration.limits == expected)
        #expect(configuration.unknownKeys.isEmpty)
    }

    @Test(arguments: DynamicKey.all.map(\.name)) func eachKeySetsAValueOfItsOwn(_ name: String) throws {
        let key = try #require(DynamicKey.all.first { $0.name == name })
        var configuration = DynamicConfiguration()
        try configuration.set("\(name)=\(key.defaultValue)")
        #expect(configuration.limits == Limits())
        try configuration.set("\(name)=\(key.defaultValue + 1)")
        #expect(configuration.limits != Limits())
        for other in DynamicKey.all where other.name != name {
            try configuration.set("\(other.name)=\(other.defaultValue)")
        }
        #expect(configuration.limits != Limits())
    }

    @Test func zeroLiftsALimitOfWhatIsPending() throws {
        var configuration = DynamicConfiguration()
        try configuration.set("limit.numPendingActivities.error=0")
        #expect(configuration.limits.pendingActivities == .max)
    }

    @Test func badValuesAreRefusedByTheKeysName() {
        for value in ["", "large", "1.5", "-1", "0", "99999999999999999999", "\"5\""] {
            #expect(
                problem("limit.historyCount.warn=\(value)")?.contains("'limit.historyCount.warn'") == true,
                "\(value)"
            )
        }
        #expect(problem("limit.historyCount.warn") == "'limit.historyCount.warn' is not of the form KEY=VALUE")
        #expect(problem("=5") == "'=5' is not of the form KEY=VALUE")
    }

    @Test func unknownKeysAreKept() throws {
        var configuration = DynamicConfiguration()
        try configuration.set("limit.blobSize.errr=5")
        try configuration.set("frontend.namespaceRps.x=5")
        #expect(configuration.unknownKeys == ["limit.blobSize.errr", "frontend.namespaceRps.x"])
        #expect(configuration.limits == Limits())
    }
}
