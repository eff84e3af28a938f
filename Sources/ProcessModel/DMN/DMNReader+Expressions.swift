import Decisions

extension DMNReader {
    /// The boxed expression directly inside an element; nil when there is none.
    mutating func expression(in element: XMLElement) -> DMNExpression? {
        for (_, child) in children(element) {
            if let expression = expression(child) { return expression }
        }
        return nil
    }

    /// The boxed expression inside a part of another, such as `then`.
    private mutating func expression(in element: XMLElement, _ part: String) -> DMNExpression? {
        child(element, part).flatMap { expression(in: $0) }
    }

    /// The expression an element is; nil when it is none.
    private mutating func expression(_ element: XMLElement) -> DMNExpression? {
        kind(element).map { DMNExpression($0, place: place(element), type: type(element)) }
    }

    private mutating func kind(_ element: XMLElement) -> DMNExpression.Kind? {
        switch element.name.local {
        case "literalExpression": return .literal(literal(element))
        case "context": return .context(entries(element))
        case "relation": return relation(element)
        case "list": return .list(children(element).filter { $0.name != "description" }.map { expression($0.element) })
        case "invocation": return invocation(element)
        case "functionDefinition": return .function(function(element))
        case "decisionTable": return .table(table(element))
        case "conditional":
            return .conditional(
                expression(in: element, "if"), then: expression(in: element, "then"),
                otherwise: expression(in: element, "else"))
        case "filter": return .filter(expression(in: element, "in"), match: expression(in: element, "match"))
        case "for":
            return .iteration(
                iterator(element), in: expression(in: element, "in"), result: expression(in: element, "return"))
        case "some", "every":
            return .quantified(
                every: element.name.local == "every", iterator(element), in: expression(in: element, "in"),
                condition: expression(in: element, "satisfies"))
        default: return nil
        }
    }

    private func iterator(_ element: XMLElement) -> String {
        Self.normalized(element.attribute("iteratorVariable") ?? "")
    }

    private mutating func literal(_ element: XMLElement) -> DMNText {
        if child(element, "importedValues") != nil {
            find(
                .unsupportedLanguage, "Imported expressions are not supported.",
                remedy: "write the expression into the model", at: element)
        }
        return dmnText(element)
    }

    private func dmnText(_ element: XMLElement) -> DMNText {
        DMNText(text(element) ?? "", foreignLanguage: foreignLanguage(element), place: place(element))
    }

    private mutating func entries(_ element: XMLElement) -> [DMNContextEntry] {
        children(element).filter { $0.name == "contextEntry" }.map { _, entry in
            DMNContextEntry(
                variable: child(entry, "variable").map { variable($0) }, value: expression(in: entry))
        }
    }

    private mutating func relation(_ element: XMLElement) -> DMNExpression.Kind {
        var columns: [DMNVariable] = []
        var rows: [[DMNExpression?]] = []
        for (kind, part) in children(element) {
            switch kind {
            case "column": columns.append(variable(part))
            case "row":
                rows.append(children(part).filter { $0.name != "description" }.map { expression($0.element) })
            default: continue
            }
        }
        return .relation(columns: columns, rows: rows)
    }

    private mutating func invocation(_ element: XMLElement) -> DMNExpression.Kind {
        let bindings = children(element).filter { $0.name == "binding" }.map { _, binding in
            DMNBinding(
                parameter: child(binding, "parameter").map { variable($0) } ?? DMNVariable(name: "", type: nil),
                argument: expression(in: binding))
        }
        return .invocation(expression(in: element), bindings)
    }

    mutating func function(_ element: XMLElement) -> DMNFunction {
        var kind = DMNFunction.Kind.feel
        if let name = element.attribute("kind") {
            switch name.lowercased() {
            case "feel", "f": kind = .feel
            case "java", "j": kind = .java
            case "pmml", "p": kind = .pmml
            default:
                find(
                    .badAttribute, "There is no kind of function '\(name)'.", remedy: "use FEEL", at: element)
            }
        }
        let parameters = children(element).filter { $0.name == "formalParameter" }.map { variable($0.element) }
        return DMNFunction(kind: kind, parameters: parameters, body: expression(in: element), place: place(element))
    }

    // MARK: Tables

    private mutating func table(_ element: XMLElement) -> DMNTable {
        var table = DMNTable(
            hitPolicy: hitPolicy(element), aggregation: aggregation(element), place: place(element))
        for (kind, part) in children(element) {
            switch kind {
            case "input": table.inputs.append(input(part))
            case "output": table.outputs.append(output(part))
            case "rule": table.rules.append(rule(part))
            default: continue
            }
        }
        return checked(table, element)
    }

    private mutating func hitPolicy(_ element: XMLElement) -> HitPolicy {
        guard let name = element.attribute("hitPolicy") else { return .unique }
        let words = name.split { $0 == " " || $0 == "_" }.joined(separator: " ").uppercased()
        if let policy = HitPolicy(rawValue: words) { return policy }
        find(
            .badAttribute, "There is no hit policy '\(name)'.",
            remedy: "use one of \(HitPolicy.allCases.map(\.rawValue).joined(separator: ", "))", at: element)
        return .unique
    }

    private mutating func aggregation(_ element: XMLElement) -> HitPolicy.Aggregation? {
        guard let name = element.attribute("aggregation") else { return nil }
        if let aggregation = HitPolicy.Aggregation(rawValue: name.uppercased()) { return aggregation }
        find(
            .badAttribute, "There is no aggregation '\(name)'.",
            remedy: "use one of \(HitPolicy.Aggregation.allCases.map(\.rawValue).joined(separator: ", "))",
            at: element)
        return nil
    }

    private func input(_ element: XMLElement) -> DMNTable.Input {
        let expression = child(element, "inputExpression")
        let text = expression.map { dmnText($0) } ?? DMNText("null", place: place(element))
        let label = element.attribute("label").map(Self.normalized) ?? ""
        return DMNTable.Input(
            id: element.attribute("id") ?? "", name: label.isEmpty ? text.text : label, expression: text,
            type: expression.flatMap { type($0) }, allowedValues: values(element, "inputValues"))
    }

    private func output(_ element: XMLElement) -> DMNTable.Output {
        DMNTable.Output(
            id: element.attribute("id") ?? "", name: name(element), type: type(element),
            allowedValues: values(element, "outputValues"),
            defaultEntry: child(element, "defaultOutputEntry").map { dmnText($0) })
    }

    private func values(_ element: XMLElement, _ name: String) -> DMNText? {
        guard let values = child(element, name) else { return nil }
        let text = dmnText(values)
        return text.text.isEmpty ? nil : text
    }

    private func rule(_ element: XMLElement) -> DMNTable.Rule {
        var rule = DMNTable.Rule(place: place(element), tests: [], entries: [])
        for (kind, part) in children(element) {
            switch kind {
            case "inputEntry":
                var text = dmnText(part)
                if text.text.isEmpty { text.text = "-" }
                rule.tests.append(text)
            case "outputEntry":
                var text = dmnText(part)
                if text.text.isEmpty || text.text == "-" { text.text = "null" }
                rule.entries.append(text)
            default: continue
            }
        }
        return rule
    }

    /// The table with every rule as wide as its clauses.
    private mutating func checked(_ table: DMNTable, _ element: XMLElement) -> DMNTable {
        var table = table
        if table.outputs.isEmpty {
            find(.badTable, "The decision table has no output.", remedy: "add an output clause", at: element)
            table.outputs = [DMNTable.Output(id: "", name: "", type: nil, allowedValues: nil, defaultEntry: nil)]
        }
        if table.aggregation != nil, table.hitPolicy == .collect, table.outputs.count > 1 {
            find(
                .badTable, "Several outputs cannot be aggregated.",
                remedy: "remove the aggregation, or all outputs but one", at: element)
            table.aggregation = nil
        }
        for position in table.rules.indices {
            let rule = table.rules[position]
            let fits = rule.tests.count == table.inputs.count && rule.entries.count == table.outputs.count
            if fits { continue }
            find(
                .badTable,
                "Rule \(position + 1) has \(rule.tests.count) input and \(rule.entries.count) output entries, but the "
                    + "table has \(table.inputs.count) inputs and \(table.outputs.count) outputs.",
                remedy: "add or remove entries", at: element)
            table.rules[position].tests = Self.fit(rule.tests, table.inputs.count, DMNText("-", place: rule.place))
            table.rules[position].entries = Self.fit(
                rule.entries, table.outputs.count, DMNText("null", place: rule.place))
        }
        return table
    }

    private static func fit(_ entries: [DMNText], _ count: Int, _ filler: DMNText) -> [DMNText] {
        entries.prefix(count) + Array(repeating: filler, count: max(0, count - entries.count))
    }
}
