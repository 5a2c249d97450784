import Glibc

/// `SagamoreBenchmarks engine` or `calls`: measures one part of the server in isolation and prints JSON.
@main
enum Program {
    static func main() {
        switch CommandLine.arguments.dropFirst().first {
        case "engine":
            print(EngineBenchmark.run())
        case "calls":
            print(CallBenchmark.run())
        default:
            let usage = "usage: SagamoreBenchmarks engine|calls\n"
            _ = write(STDERR_FILENO, usage, usage.utf8.count)
            exit(2)
        }
    }
}
