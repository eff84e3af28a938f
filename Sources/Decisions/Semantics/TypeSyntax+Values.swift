import Values

extension TypeSyntax {
    /// Whether `value` is an instance of the type (DMN 1.5, clause 10.3.2.9.2).
    ///
    /// Null is one of `Null` alone.
    func describes(_ value: Value) -> Bool {
        switch (self, value) {
        case (.null, .null): return true
        case (_, .null): return false
        case (.any, _), (.number, .number), (.string, .string), (.boolean, .boolean), (.date, .date), (.time, .time),
            (.dateTime, .dateTime), (.yearMonthDuration, .yearMonthDuration), (.dayTimeDuration, .dayTimeDuration),
            (.duration, .yearMonthDuration), (.duration, .dayTimeDuration), (.list(nil), .list), (.range(nil), .range),
            (.context(nil), .context), (.anyFunction, .function):
            return true
        case (.list(let element?), .list(let elements)):
            return elements.allSatisfy { element.accepts($0) }
        case (.range(let end?), .range(let range)):
            return [range.lower, range.upper].allSatisfy { $0.map(end.describes) ?? true }
        case (.context(let entries?), .context(let context)):
            return entries.allSatisfy { entry in context[entry.key].map(entry.type.accepts) ?? false }
        case (.function(let parameters, _), .function(let function)):
            return parameters.count == function.parameterNames.count
        case (.item(let item), _): return item.describes(value)
        default: return false
        }
    }

    /// Whether a value may stand where the type is asked for: an instance, or null.
    private func accepts(_ value: Value) -> Bool {
        value.isNull || describes(value)
    }

    /// The value as an instance of the type, with FEEL's implicit conversions: a single element for a list of it, a
    /// list of one for its element, a date and time for a date (DMN 1.5, clause 10.3.2.9.4).
    ///
    /// Nil when there is none.
    ///
    /// Types this module does not know accept everything.
    func convert(_ value: Value) -> Value? {
        if case .named = self { return value }
        if describes(value) { return value }
        if isList {
            if case .list = value { return nil }
            return describes(.list([value])) ? .list([value]) : nil
        }
        switch (unaliased, value) {
        case (_, .list(let elements)) where elements.count == 1: return describes(elements[0]) ? elements[0] : nil
        case (.dateTime, .date(let date)):
            let midnight = Value.dateTime(Machine.midnight(date))
            return describes(midnight) ? midnight : nil
        default: return nil
        }
    }

    /// The type as an error message names it.
    var name: String {
        switch self {
        case .any: "Any"
        case .null: "Null"
        case .number: "number"
        case .string: "string"
        case .boolean: "boolean"
        case .date: "date"
        case .time: "time"
        case .dateTime: "date and time"
        case .yearMonthDuration: "years and months duration"
        case .dayTimeDuration: "days and time duration"
        case .duration: "duration"
        case .list(let element): "list" + (element.map { "<\($0.name)>" } ?? "")
        case .range(let end): "range" + (end.map { "<\($0.name)>" } ?? "")
        case .context(let entries):
            "context"
                + (entries.map { "<" + $0.map { "\($0.key): \($0.type.name)" }.joined(separator: ", ") + ">" } ?? "")
        case .function(let parameters, let result):
            "function<" + parameters.map(\.name).joined(separator: ", ") + "> -> " + result.name
        case .anyFunction: "function"
        case .named(let name): name
        case .item(let item): item.name
        }
    }
}
