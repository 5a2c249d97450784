import SagamoreSimulatedTime
import Testing

@testable import SagamoreSimulatedDatabase

@Suite struct OrderedMapTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func answersAsASortedDictionary(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var map = OrderedMap<Int, Int>()
        var expected: [Int: Int] = [:]
        for step in 0..<20_000 {
            // It grows in the first half, and shrinks in the second.
            let key = random.below(2_000)
            let isRemoved = random.happens(step < 10_000 ? 0.2 : 0.8)
            let old = map.set(isRemoved ? nil : step, for: key)
            #expect(old == expected[key])
            expected[key] = isRemoved ? nil : step
            #expect(map.count == expected.count)
            guard step % 500 == 0 else { continue }
            let keys = expected.keys.sorted()
            #expect(map.values == keys.map { expected[$0] })
            for after in [-1, 0, key, 1_999] {
                var found: [Int] = []
                map.scan(after: after) { key, _ in
                    found.append(key)
                    return found.count < 300
                }
                #expect(found == Array(keys.filter { $0 > after }.prefix(300)))
            }
            #expect(map[key] == expected[key])
        }
    }
}
