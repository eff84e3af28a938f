/// A DMN document as written: plain values that ``DecisionModel`` is compiled from.
package struct DMNDefinitions: Sendable {
    package var id: String?
    package var name = ""
    package var namespace = ""
    /// The document, as the author named it.
    package var file: String?
    package var imports: [DMNImport] = []
    package var itemDefinitions: [DMNItemDefinition] = []
    package var inputData: [DMNInputData] = []
    package var decisions: [DMNDecision] = []
    package var knowledgeModels: [DMNKnowledgeModel] = []
    package var services: [DMNDecisionService] = []

    package init() {}
}

/// Where an element stands in its document.
package struct DMNPlace: Sendable, Hashable {
    package var id: String?
    package var line: Int

    package init(id: String?, line: Int) {
        self.id = id
        self.line = line
    }
}

/// `import`: the elements of another model, under a name.
package struct DMNImport: Sendable {
    /// The prefix of the imported names; empty when they need none.
    package var name: String
    package var namespace: String
    package var place: DMNPlace

    package init(name: String, namespace: String, place: DMNPlace) {
        self.name = name
        self.namespace = namespace
        self.place = place
    }
}

/// `href`: an element of this or another model.
package struct DMNReference: Sendable, Hashable {
    /// The namespace of the other model, or nil for this one.
    package var namespace: String?
    package var id: String
    package var line: Int

    package init(namespace: String?, id: String, line: Int) {
        self.namespace = namespace
        self.id = id
        self.line = line
    }
}

/// `variable`, `parameter`, `formalParameter`: a name with an optional type.
package struct DMNVariable: Sendable {
    package var name: String
    package var type: String?

    package init(name: String, type: String?) {
        self.name = name
        self.type = type
    }
}

/// `itemDefinition` or `itemComponent`.
package struct DMNItemDefinition: Sendable {
    /// The parameters and result of a function type.
    package struct Function: Sendable {
        package var parameters: [DMNVariable]
        package var result: String?

        package init(parameters: [DMNVariable], result: String?) {
            self.parameters = parameters
            self.result = result
        }
    }

    package var name: String
    package var place: DMNPlace
    package var isCollection = false
    package var type: String?
    package var components: [DMNItemDefinition] = []
    package var function: Function?
    /// Unary tests about an element.
    package var allowedValues: String?
    /// Unary tests about the whole value.
    package var typeConstraint: String?

    package init(name: String, place: DMNPlace) {
        self.name = name
        self.place = place
    }
}

/// `inputData`.
package struct DMNInputData: Sendable {
    package var name: String
    package var place: DMNPlace
    package var variable: DMNVariable

    package init(name: String, place: DMNPlace, variable: DMNVariable) {
        self.name = name
        self.place = place
        self.variable = variable
    }
}

/// `decision`.
package struct DMNDecision: Sendable {
    package var name: String
    package var place: DMNPlace
    package var variable: DMNVariable
    /// The required decisions, input data, knowledge models and services.
    package var requirements: [DMNReference] = []
    package var expression: DMNExpression?
    /// The author's label of a version (`zeebe:versionTag`, `camunda:versionTag`).
    package var versionTag: String?

    package init(name: String, place: DMNPlace, variable: DMNVariable) {
        self.name = name
        self.place = place
        self.variable = variable
    }
}

/// `businessKnowledgeModel`.
package struct DMNKnowledgeModel: Sendable {
    package var name: String
    package var place: DMNPlace
    package var variable: DMNVariable
    package var requirements: [DMNReference] = []
    package var logic: DMNFunction?
    /// The type of the encapsulated logic as an expression.
    package var logicType: String?

    package init(name: String, place: DMNPlace, variable: DMNVariable) {
        self.name = name
        self.place = place
        self.variable = variable
    }
}

/// `decisionService`.
package struct DMNDecisionService: Sendable {
    package var name: String
    package var place: DMNPlace
    package var variable: DMNVariable
    package var outputs: [DMNReference] = []
    package var encapsulated: [DMNReference] = []
    package var inputDecisions: [DMNReference] = []
    package var inputData: [DMNReference] = []

    package init(name: String, place: DMNPlace, variable: DMNVariable) {
        self.name = name
        self.place = place
        self.variable = variable
    }
}
