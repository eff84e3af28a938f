import Decisions

/// The people a user task is for, as the standard assigns them.
struct People {
    var assignee: ExpressionOrLiteral?
    var candidateUsers: ExpressionOrLiteral?
    var candidateGroups: ExpressionOrLiteral?
}

extension ProcessReader {
    /// Reads performers and potential owners (BPMN 2.0.2 clauses 8.4.4 and 10.3.4).
    ///
    /// A performer is the assignee. A potential owner is a candidate: an expression or resource names groups, unless
    /// written `user(…)` or `group(…)` as other engines do.
    func readPeople(_ roles: [XMLElement], of node: DraftNode) -> People {
        var people = People()
        var users: [String] = []
        var groups: [String] = []
        for role in roles {
            guard let source = roleSource(role, of: node) else { continue }
            if role.tag == .performer || role.tag == .humanPerformer {
                if people.assignee != nil { reportSecond(role, of: node) }
                people.assignee = source
            } else if role.tag == .potentialOwner {
                switch source {
                case .literal(let text): split(text, users: &users, groups: &groups)
                case .expression:
                    if people.candidateGroups != nil { reportSecond(role, of: node) }
                    people.candidateGroups = source
                }
            } else {
                reader.mention(.keptForPeople, "<\(role.name.local)>", at: role)
            }
        }
        if !users.isEmpty { people.candidateUsers = .literal(users.joined(separator: ",")) }
        if !groups.isEmpty {
            if people.candidateGroups != nil, let role = roles.first { reportSecond(role, of: node) }
            people.candidateGroups = .literal(groups.joined(separator: ","))
        }
        return people
    }

    /// Who a role is for: the text of its expression, or the name of its resource.
    private func roleSource(_ role: XMLElement, of node: DraftNode) -> ExpressionOrLiteral? {
        if let assignment = role.children.first(where: { $0.tag == .resourceAssignmentExpression }) {
            guard
                let expression = assignment.children.first(where: {
                    $0.tag == .formalExpression || $0.tag == .expression
                })
            else { return nil }
            return reader.formalValue(expression, "the \(role.name.local) of \(node.id)")
        }
        guard let reference = role.children.first(where: { $0.tag == .resourceRef })?.text else { return nil }
        if let binding = role.children.first(where: { $0.tag == .resourceParameterBinding }) {
            reader.report(
                .unsupportedElement, at: binding,
                "The parameters of resource \(reference) are not evaluated: nothing here knows its query.",
                remedy: "use a resourceAssignmentExpression")
        }
        guard let resource = reader.resolve(reference, as: .resource) else {
            reader.report(
                .unknownResource, at: role,
                "Expected \(role.name.local) of \(node.id) to name a resource, but there is no resource \(reference).",
                remedy: "define <resource id=\"…\" name=\"…\"/> under <definitions>")
            return nil
        }
        return reader.name(of: resource, "the name of resource \(reference)")
    }

    private func split(_ text: String, users: inout [String], groups: inout [String]) {
        for part in text.split(separator: ",") {
            let entry = part.trimmingBlanks
            if entry.hasPrefix("user("), entry.hasSuffix(")") {
                users.append(String(entry.dropFirst(5).dropLast()))
            } else if entry.hasPrefix("group("), entry.hasSuffix(")") {
                groups.append(String(entry.dropFirst(6).dropLast()))
            } else {
                groups.append(String(entry))
            }
        }
    }

    private func reportSecond(_ role: XMLElement, of node: DraftNode) {
        reader.report(
            .conflictingDefinitions, at: role,
            "Expected one \(role.name.local) of \(node.id), but there are several.",
            remedy: "combine them in one expression that gives a list")
    }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        let start = drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return start[...last]
    }
}
