internal import SagamoreJSONText
internal import SagamoreProtobuf

/// Formats a history for people: a section for each event, with all that it says.
struct EventSections {
    let times: TimeFormat

    /// - Parameter events: in protobuf's JSON form.
    func text(_ events: [JSONValue], isColored: Bool) -> String {
        events.map { event in
            var properties = Properties()
            for member in event.object?.members ?? [] where !["eventId", "eventType"].contains(member.key) {
                let (name, value) = (member.key, member.value)
                if name == "eventTime" {
                    let text = value.string ?? ""
                    properties.add(name, ProtobufTimestamp(rfc3339: text).map { times.text($0) } ?? text)
                } else if name.hasSuffix("EventAttributes") {
                    for each in value.object?.members ?? [] { Self.add(each.value, as: each.key, to: &properties) }
                } else {
                    Self.add(value, as: name, to: &properties)
                }
            }
            let title = "\(event["eventId"]?.string ?? "") \(HistoryTable.typeName(event["eventType"]))"
            return properties.text(title: title, isColored: isColored) + "\n"
        }
        .joined()
    }

    /// Adds each value within this one, by its path.
    private static func add(_ value: JSONValue, as path: String, to properties: inout Properties) {
        switch value {
        case .object(let object):
            if object["metadata"] != nil, object["data"] != nil {
                return properties.add(path, HistoryTable.payload(value).text)
            }
            // A list of payloads is shown as a list.
            if let payloads = object["payloads"], object.members.count == 1 {
                return add(payloads, as: path, to: &properties)
            }
            for each in object.members { add(each.value, as: "\(path).\(each.key)", to: &properties) }
        case .array(let elements):
            for (index, element) in elements.enumerated() { add(element, as: "\(path)[\(index)]", to: &properties) }
        case .string(let text): properties.add(path, text)
        default: properties.add(path, value.text())
        }
    }
}
