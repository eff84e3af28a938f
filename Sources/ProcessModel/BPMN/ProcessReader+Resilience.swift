import Resilience
import Values

/// How a call of the model is guarded: `apg:resilience`.
extension ProcessReader {
    /// What its children are called in a profile, where that differs.
    private static let members = ["bulkhead": "concurrency"]

    /// Static headers of the call: `profile` names a profile of the connections file, `resilience` is what differs from
    /// it, as a JSON object.
    ///
    ///     <apg:resilience profile="patient">
    ///       <apg:timeout attempt="5s" total="60s"/>
    ///       <apg:retry max="6"><apg:backoff kind="fullJitter" base="500ms" cap="20s"/></apg:retry>
    ///       <apg:breaker enabled="false"/>
    ///     </apg:resilience>
    func readResilience(_ element: XMLElement) -> [(key: String, value: String)] {
        var headers: [(key: String, value: String)] = []
        let children = Array(element.children)
        if let profile = element.attribute("profile"), !profile.isEmpty {
            headers.append((key: "profile", value: profile))
        } else if children.isEmpty || element.attribute("profile") != nil {
            reader.report(
                .incompleteExtension, at: element,
                "Expected a profile or policies in apg:resilience, but found neither.",
                remedy: "name a profile of the connections file, or write the policies: <apg:retry max=\"5\"/>")
            return []
        }
        guard !children.isEmpty else { return headers }
        var policies = ValueContext()
        for child in children {
            guard child.space == .apg else {
                reader.reportUnknownPart(child)
                continue
            }
            let name = Self.members[child.name.local] ?? child.name.local
            guard policies[name] == nil else {
                reader.report(
                    .conflictingDefinitions, at: child,
                    "Expected one \(child.name.description) in apg:resilience, but found a second.",
                    remedy: "keep one of them")
                continue
            }
            policies[name] = policy(child)
            check(name, policies[name] ?? .null, at: child)
        }
        headers.append((key: "resilience", value: JSON.string(.context(policies))))
        return headers
    }

    /// Attributes and children as members of an object; `enabled="false"` stands for no policy at all.
    private func policy(_ element: XMLElement) -> Value {
        if element.attribute("enabled") == "false" { return .boolean(false) }
        var members = ValueContext()
        for (name, text) in element.attributes where name.space == .none && name.local != "enabled" {
            members[name.local] = Self.value(text)
        }
        for child in element.children where child.space == .apg { members[child.name.local] = policy(child) }
        return .context(members)
    }

    /// Numbers and truth values as such, everything else as text.
    private static func value(_ text: String) -> Value {
        switch text {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        default:
            guard let first = text.utf8.first, first == UInt8(ascii: "-") || (48...57).contains(first),
                let value = try? JSON.parse(Array(text.utf8)), case .number = value
            else { return .string(text) }
            return value
        }
    }

    /// Reports what a profile would not accept.
    private func check(_ name: String, _ policy: Value, at element: XMLElement) {
        var diagnostics: [Diagnostic] = []
        _ = ResilienceProfile(
            .context(ValueContext([(name, policy)])), name: "model", path: "apg:resilience", diagnostics: &diagnostics)
        for finding in diagnostics {
            reader.report(
                .wrongPolicy, at: element, finding.message,
                remedy: finding.remedy ?? "write it like a profile of the connections file")
        }
    }
}
