import Sagamore

/// A video in parts.
struct Video: Codable, Sendable {
    var name: String
    var parts: Int
}

enum Videos {
    static let convert = Activity<Video, Nothing>(
        "convert",
        ActivityOptions(startToCloseTimeout: .seconds(3_600), heartbeatTimeout: .seconds(10))
    )
}

struct Converter: Sendable {
    /// Converts part after part, and goes on where the attempt before stopped.
    func convert(_ context: ActivityContext, _ video: Video) throws {
        var done = 0
        if context.heartbeatDetails.count > 0 { done = try context.heartbeatDetails.decode(Int.self) }
        while done < video.parts {
            try Task.checkCancellation()
            try convertPart(done, of: video)
            done += 1
            try context.heartbeat(done)
        }
    }
}

private func convertPart(_ part: Int, of video: Video) throws {
    guard !video.name.isEmpty else { throw ApplicationError("there is no video", isNonRetryable: true) }
    print("converting part \(part) of \(video.name)")
}

func videoWorker(_ client: Client, _ converter: Converter) -> Worker {
    Worker(client, taskQueue: "videos") {
        Videos.convert.implemented(converter.convert)
    }
}
