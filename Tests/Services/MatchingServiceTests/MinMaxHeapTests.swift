import Testing

@testable import SagamoreMatchingService

@Suite struct MinMaxHeapTests {
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func bothEndsAreRightUnderRandomOperations(_ seed: UInt64) {
        var heap = MinMaxHeap<UInt64>()
        var expected: [UInt64] = []
        var state = seed
        var wrong = 0
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = (state >> 40) % 500
            switch (state >> 33) % 10 {
            case 0..<5:
                heap.insert(value)
                let place = expected.firstIndex { $0 >= value } ?? expected.count
                expected.insert(value, at: place)
            case 5, 6: wrong += heap.popMax() == expected.popLast() ? 0 : 1
            default: wrong += heap.popMin() == (expected.isEmpty ? nil : expected.removeFirst()) ? 0 : 1
            }
            guard heap.min == expected.first, heap.max == expected.last, heap.count == expected.count else {
                Issue.record("seed \(seed): \(heap.elements) holds other elements than \(expected)")
                return
            }
        }
        #expect(wrong == 0)
        #expect(heap.elements.sorted() == expected)
    }
}
