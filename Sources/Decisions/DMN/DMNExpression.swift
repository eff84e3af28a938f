/// A boxed expression as written (DMN 1.5, clause 10.2.2).
package struct DMNExpression: Sendable {
    package indirect enum Kind: Sendable {
        case literal(DMNText)
        case context([DMNContextEntry])
        case relation(columns: [DMNVariable], rows: [[DMNExpression?]])
        case list([DMNExpression?])
        case invocation(DMNExpression?, [DMNBinding])
        case function(DMNFunction)
        case table(DMNTable)
        case conditional(DMNExpression?, then: DMNExpression?, otherwise: DMNExpression?)
        case filter(DMNExpression?, match: DMNExpression?)
        case iteration(String, in: DMNExpression?, result: DMNExpression?)
        case quantified(every: Bool, String, in: DMNExpression?, condition: DMNExpression?)
    }

    package var kind: Kind
    package var place: DMNPlace
    package var type: String?

    package init(_ kind: Kind, place: DMNPlace, type: String?) {
        self.kind = kind
        self.place = place
        self.type = type
    }
}

/// Text in an expression language.
package struct DMNText: Sendable {
    package var text: String
    /// The language, when it is not FEEL.
    package var foreignLanguage: String?
    package var place: DMNPlace

    package init(_ text: String, foreignLanguage: String? = nil, place: DMNPlace) {
        self.text = text
        self.foreignLanguage = foreignLanguage
        self.place = place
    }
}

/// `contextEntry`; without a variable its value is the result of the context.
package struct DMNContextEntry: Sendable {
    package var variable: DMNVariable?
    package var value: DMNExpression?

    package init(variable: DMNVariable?, value: DMNExpression?) {
        self.variable = variable
        self.value = value
    }
}

/// `binding`: a parameter and its argument.
package struct DMNBinding: Sendable {
    package var parameter: DMNVariable
    package var argument: DMNExpression?

    package init(parameter: DMNVariable, argument: DMNExpression?) {
        self.parameter = parameter
        self.argument = argument
    }
}

/// `functionDefinition` or `encapsulatedLogic`.
package struct DMNFunction: Sendable {
    /// Who computes the result.
    package enum Kind: String, Sendable {
        case feel = "FEEL"
        case java = "Java"
        case pmml = "PMML"
    }

    package var kind: Kind
    package var parameters: [DMNVariable]
    package var body: DMNExpression?
    package var place: DMNPlace

    package init(kind: Kind, parameters: [DMNVariable], body: DMNExpression?, place: DMNPlace) {
        self.kind = kind
        self.parameters = parameters
        self.body = body
        self.place = place
    }
}

/// `decisionTable`.
package struct DMNTable: Sendable {
    package struct Input: Sendable {
        package var id: String
        package var name: String
        package var expression: DMNText
        package var type: String?
        package var allowedValues: DMNText?

        package init(id: String, name: String, expression: DMNText, type: String?, allowedValues: DMNText?) {
            self.id = id
            self.name = name
            self.expression = expression
            self.type = type
            self.allowedValues = allowedValues
        }
    }

    package struct Output: Sendable {
        package var id: String
        package var name: String
        package var type: String?
        package var allowedValues: DMNText?
        package var defaultEntry: DMNText?

        package init(id: String, name: String, type: String?, allowedValues: DMNText?, defaultEntry: DMNText?) {
            self.id = id
            self.name = name
            self.type = type
            self.allowedValues = allowedValues
            self.defaultEntry = defaultEntry
        }
    }

    package struct Rule: Sendable {
        package var place: DMNPlace
        package var tests: [DMNText]
        package var entries: [DMNText]

        package init(place: DMNPlace, tests: [DMNText], entries: [DMNText]) {
            self.place = place
            self.tests = tests
            self.entries = entries
        }
    }

    package var hitPolicy: HitPolicy
    package var aggregation: HitPolicy.Aggregation?
    package var inputs: [Input] = []
    package var outputs: [Output] = []
    package var rules: [Rule] = []
    package var place: DMNPlace

    package init(hitPolicy: HitPolicy, aggregation: HitPolicy.Aggregation?, place: DMNPlace) {
        self.hitPolicy = hitPolicy
        self.aggregation = aggregation
        self.place = place
    }
}

/// What a decision table makes of several rules that match (DMN 1.5, clause 8.2.8).
package enum HitPolicy: String, Sendable, CaseIterable {
    case unique = "UNIQUE"
    case any = "ANY"
    case priority = "PRIORITY"
    case first = "FIRST"
    case ruleOrder = "RULE ORDER"
    case outputOrder = "OUTPUT ORDER"
    case collect = "COLLECT"

    /// How `COLLECT` makes one value of many.
    package enum Aggregation: String, Sendable, CaseIterable {
        case sum = "SUM"
        case count = "COUNT"
        case minimum = "MIN"
        case maximum = "MAX"
    }
}
