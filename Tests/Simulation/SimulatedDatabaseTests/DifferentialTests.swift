import SagamorePersistence
import SagamorePostgresClient
import Testing

extension DatabaseContract {
    /// The same operations on both databases. Where they differ, PostgreSQL is right.
    @Suite struct Differences {
        /// The last one is another in each run.
        private static let seeds: [UInt64] = [1, 2, .random(in: 3...9_999_999)]

        @Test(arguments: seeds)
        func bothAnswerTheSame(_ seed: UInt64) throws {
            let postgres = try PostgresUnderTest(shards: 3)
            let simulated = try SimulatedUnderTest(shards: 3)
            var operations = RandomOperations(seed: seed)
            var answers: [String: Int] = [:]
            for number in 0..<1_500 {
                if number % 15 == 0 { try operations.learn(postgres) }
                let step = operations.next()
                let (expected, found) = (answer(postgres, step), answer(simulated, step))
                answers[String(expected.prefix(40)), default: 0] += 1
                guard expected == found else {
                    Issue.record("seed \(seed), step \(number): \(step.name)\nPostgreSQL: \(expected)\nfound: \(found)")
                    return
                }
                if number % 250 == 249, try !haveSameRows(postgres, simulated, "seed \(seed), step \(number)") {
                    return
                }
            }
            // The operations are no good if most of them are refused.
            #expect(answers["done"] ?? 0 > 250, "\(answers.sorted { $0.value > $1.value }.prefix(20))")
        }

        private func answer(_ database: any DatabaseUnderTest, _ step: RandomOperations.Step) -> String {
            do {
                return try step.run(database)
            } catch let error as CommitError {
                return Failure(error).description
            } catch {
                return "\(error)"
            }
        }

        private func haveSameRows(
            _ postgres: PostgresUnderTest,
            _ simulated: SimulatedUnderTest,
            _ place: String
        ) throws -> Bool {
            let (expected, found) = (try postgres.rows(), try simulated.rows())
            guard expected != found else { return true }
            let missing = Set(expected).subtracting(found).sorted().prefix(5).joined(separator: "\n")
            let excess = Set(found).subtracting(expected).sorted().prefix(5).joined(separator: "\n")
            Issue.record("\(place)\nonly in PostgreSQL:\n\(missing)\nonly simulated:\n\(excess)")
            return false
        }
    }
}
