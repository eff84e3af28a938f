import Testing
import Values

@testable import ProcessModel

/// Every reference of the metamodel, pointing to nothing and to something of the wrong kind.
@Suite struct ConstraintReferenceTests {
    /// One reference: the element that has it, and how it is written there.
    struct Place: Sendable, CustomTestStringConvertible {
        let owner: ElementKind
        let reference: ModelReference

        var testDescription: String { "\(owner) \(reference.attribute)" }

        /// The element, with its reference naming `name`.
        func naming(_ name: String) -> String {
            reference.attribute.isEmpty
                ? "<\(owner)>\(name)</\(owner)>" : "<\(owner) id=\"x-\(name)\" \(reference.attribute)=\"\(name)\"/>"
        }
    }

    private static let kinds = ElementKind.allCases.filter { ![.other, .definitions, .extensionElements].contains($0) }

    /// One element of each kind, with the kind as its id.
    private static let targets = kinds.map { "<\($0) id=\"\($0)\"/>" }.joined()

    static let places: [Place] = ElementKind.allCases.flatMap { kind -> [Place] in
        let references =
            ModelReference.inAttributes[Int(kind.rawValue)]
            + [ModelReference.inText[Int(kind.rawValue)]].compactMap { $0 }
        return references.map { Place(owner: kind, reference: $0) }
    }

    @Test(arguments: places) func namesOnlyWhatItMay(_ place: Place) throws {
        let content =
            place.naming("nothing") + Self.kinds.map { place.naming("\($0)") }.joined() + "\n" + Self.targets
        let messages = try constraintFindings(content).filter { $0.code == "BCREF" && $0.line == 2 }.map(\.message)
        #expect(messages.contains { $0.contains("there is no element \"nothing\"") })
        for kind in Self.kinds {
            let isFound = messages.contains { $0.contains("but \(kind) is a ") }
            #expect(isFound == !place.reference.target.allows(kind), "\(kind)")
        }
    }

    @Test func thereIsARowForEachReferenceOfTheMetamodel() {
        #expect(Self.places.count > 90)
    }

    @Test func aPrefixIsNoPartOfAnId() throws {
        #expect(
            try constraintFindings("<message id=\"m\"/>" + amid("<receiveTask id=\"x\" messageRef=\"t:m\"/>"))
                .filter { $0.code == "BCREF" } == [])
    }

    @Test func whatIsImportedCannotBeChecked() throws {
        let content = amid("<callActivity id=\"x\" calledElement=\"other:q\"/>")
        #expect(try constraintFindings(content).contains { $0.code == "BCREF" })
        let imports = "<import importType=\"\(Namespace.bpmn)\" location=\"q.bpmn\" namespace=\"urn:q\"/>"
        #expect(try !constraintFindings(imports + content).contains { $0.code == "BCREF" })
    }

    @Test(arguments: ["sourceRef", "targetRef"]) func flowsNeedBothEnds(attribute: String) throws {
        let other = attribute == "sourceRef" ? "targetRef" : "sourceRef"
        for kind in ["sequenceFlow", "messageFlow"] {
            let missing = executable("<task id=\"t\"/><\(kind) id=\"f\" \(other)=\"t\"/>")
            #expect(try constraintFindings(missing).contains { $0.code == "BCREF" && $0.elementID == "f" })
            let dangling = executable("<task id=\"t\"/><\(kind) id=\"f\" \(other)=\"t\" \(attribute)=\"no\"/>")
            #expect(try constraintFindings(dangling).contains { $0.code == "BCREF" && $0.elementID == "f" })
        }
    }
}
