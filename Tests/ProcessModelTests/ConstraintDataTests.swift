import Testing

@testable import ProcessModel

/// Data, its sets and associations.
@Suite struct ConstraintDataTests {
    private static func object(_ reference: String, _ object: String = "name=\"Order\"") -> String {
        executable("<dataObject id=\"o\" \(object)/><dataObjectReference id=\"r\" dataObjectRef=\"o\" \(reference)")
    }

    private static func item(_ kind: String, _ attributes: String) -> String {
        items + executable("<task id=\"t\"><ioSpecification><\(kind) id=\"d\" \(attributes)/></ioSpecification></task>")
    }

    static let objects: [ConstraintRow] = [
        .init(
            .collectionMismatch, "data input, default", broken: item("dataInput", "itemSubjectRef=\"texts\""),
            good: item("dataInput", "itemSubjectRef=\"texts\" isCollection=\"true\"")),
        .init(
            .collectionMismatch, "data output",
            broken: item("dataOutput", "itemSubjectRef=\"text\" isCollection=\"true\""),
            good: item("dataOutput", "itemSubjectRef=\"text\"")),
        .init(
            .collectionMismatch, "data object",
            broken: items + executable("<dataObject id=\"d\" itemSubjectRef=\"texts\" isCollection=\"false\"/>"),
            good: items + executable("<dataObject id=\"d\"/>")),
        .init(
            .dataReferenceName, "another name",
            broken: object("name=\"O [new]\"><dataState name=\"new\"/></dataObjectReference>"),
            good: object("name=\"Order [new]\"><dataState name=\"new\"/></dataObjectReference>")),
        .init(
            .dataReferenceName, "the state alone",
            broken: object("name=\"new\"><dataState name=\"new\"/></dataObjectReference>", ""),
            good: object("name=\"Order [new]\"><dataState name=\"new\"/></dataObjectReference>", "")),
        .init(
            .misplacedDataObject, "in a task", broken: executable("<task id=\"t\"><dataObject id=\"d\"/></task>"),
            good: executable("<subProcess id=\"t\"><dataObject id=\"d\"/></subProcess>")),
        .init(
            .misplacedProperty, "on a gateway",
            broken: executable("<parallelGateway id=\"t\"><property id=\"d\"/></parallelGateway>"),
            good: executable("<property id=\"e\"/><task id=\"t\"><property id=\"d\"/></task>")),
        .init(
            .dataInputPlace, "on a catch event",
            broken: executable("<startEvent id=\"t\"><dataInput id=\"d\"/></startEvent>"),
            good: executable("<endEvent id=\"t\"><dataInput id=\"d\"/></endEvent>")),
        .init(
            .dataInputPlace, "in a process", broken: executable("<dataInput id=\"d\"/>"),
            good: executable("<ioSpecification><dataInput id=\"d\"/></ioSpecification>")),
        .init(
            .dataOutputPlace, "on a throw event",
            broken: executable("<endEvent id=\"t\"><dataOutput id=\"d\"/></endEvent>"),
            good: executable("<startEvent id=\"t\"><dataOutput id=\"d\"/></startEvent>")),
    ]

    private static func sets(_ content: String) -> String {
        executable(
            """
            <ioSpecification><dataInput id="a"/><dataInput id="b"/><dataOutput id="c"/><dataOutput id="d"/>\(content)
            </ioSpecification>
            """)
    }

    private static func set(_ kind: String, _ id: String, _ content: [(String, String)]) -> String {
        "<\(kind) id=\"\(id)\">" + content.map { "<\($0.0)>\($0.1)</\($0.0)>" }.joined() + "</\(kind)>"
    }

    private static let all =
        set("inputSet", "i", [("dataInputRefs", "a"), ("dataInputRefs", "b")])
        + set("outputSet", "o", [("dataOutputRefs", "c"), ("dataOutputRefs", "d")])

    static let setRows: [ConstraintRow] = [
        .init(
            .inputInNoSet, "left out",
            broken: sets(
                set("inputSet", "i", [("dataInputRefs", "a")])
                    + set("outputSet", "o", [("dataOutputRefs", "c"), ("dataOutputRefs", "d")])), good: sets(all)),
        .init(
            .inputInNoSet, "no set", broken: executable("<ioSpecification><outputSet/></ioSpecification>"),
            good: sets(all)),
        .init(
            .inputInNoSet, "event",
            broken: executable("<endEvent id=\"e\"><dataInput id=\"a\"/></endEvent>"),
            good: executable(
                "<endEvent id=\"e\"><dataInput id=\"a\"/><inputSet><dataInputRefs>a</dataInputRefs></inputSet></endEvent>"
            )),
        .init(
            .outputInNoSet, "left out",
            broken: sets(
                set("inputSet", "i", [("dataInputRefs", "a"), ("dataInputRefs", "b")])
                    + set("outputSet", "o", [("dataOutputRefs", "c")])), good: sets(all)),
        .init(
            .outputInNoSet, "no set", broken: executable("<ioSpecification><inputSet/></ioSpecification>"),
            good: sets(all)),
        .init(
            .optionalInput, "in another set only",
            broken: sets(
                set("inputSet", "i", [("dataInputRefs", "a"), ("optionalInputRefs", "b")])
                    + set("inputSet", "j", [("dataInputRefs", "b")]) + "<outputSet/>"),
            good: sets(
                set(
                    "inputSet", "i",
                    [("dataInputRefs", "a"), ("dataInputRefs", "b"), ("optionalInputRefs", "b")]) + "<outputSet/>")),
        .init(
            .whileExecutingInput, "nowhere",
            broken: sets(set("inputSet", "i", [("dataInputRefs", "a"), ("whileExecutingInputRefs", "b")])),
            good: sets(set("inputSet", "i", [("dataInputRefs", "b"), ("whileExecutingInputRefs", "b")]))),
        .init(
            .optionalOutput, "nowhere",
            broken: sets(set("outputSet", "o", [("dataOutputRefs", "c"), ("optionalOutputRefs", "d")])),
            good: sets(set("outputSet", "o", [("dataOutputRefs", "d"), ("optionalOutputRefs", "d")]))),
        .init(
            .whileExecutingOutput, "nowhere",
            broken: sets(set("outputSet", "o", [("dataOutputRefs", "c"), ("whileExecutingOutputRefs", "d")])),
            good: sets(set("outputSet", "o", [("dataOutputRefs", "d"), ("whileExecutingOutputRefs", "d")]))),
        .init(
            .setsDisagree, "input only",
            broken: sets(set("inputSet", "i", [("outputSetRefs", "o")]) + set("outputSet", "o", [])),
            good: sets(
                set("inputSet", "i", [("outputSetRefs", "o")]) + set("outputSet", "o", [("inputSetRefs", "i")]))),
        .init(
            .setsDisagree, "output only",
            broken: sets(set("inputSet", "i", []) + set("outputSet", "o", [("inputSetRefs", "i")])),
            good: sets(
                set("inputSet", "i", [("outputSetRefs", "o")]) + set("outputSet", "o", [("inputSetRefs", "i")]))),
        .init(
            .setsDisagree, "crossed",
            broken: sets(
                set("inputSet", "i", [("outputSetRefs", "o")]) + set("inputSet", "j", [("outputSetRefs", "q")])
                    + set("outputSet", "o", [("inputSetRefs", "j")]) + set("outputSet", "q", [("inputSetRefs", "i")])),
            good: sets(
                set("inputSet", "i", [("outputSetRefs", "o")]) + set("inputSet", "j", [("outputSetRefs", "q")])
                    + set("outputSet", "o", [("inputSetRefs", "i")]) + set("outputSet", "q", [("inputSetRefs", "j")]))),
    ]

    /// Task `t` with input `in` and output `out`, both texts, beside data and another task.
    private static func associated(_ association: String, on element: String = "task", process: String = "") -> String {
        items
            + executable(
                """
                <ioSpecification><dataInput id="pin" itemSubjectRef="text"/><dataOutput id="pout" \
                itemSubjectRef="text"/></ioSpecification>
                <dataObject id="o" itemSubjectRef="text"/><dataObjectReference id="r" dataObjectRef="o"/>
                <dataObject id="k" itemSubjectRef="number"/>
                <task id="u">\(ioSpecification([("uin", "text")], [("uout", "text")]))</task>
                <\(element) id="t">\(element == "task" ? ioSpecification([("in", "text")], [("out", "text")]) : "")\
                \(association)</\(element)>
                """)
    }

    private static func association(_ kind: String, _ sources: [String], _ target: String, _ more: String = "")
        -> String
    {
        "<\(kind) id=\"as\">" + sources.map { "<sourceRef>\($0)</sourceRef>" }.joined()
            + "<targetRef>\(target)</targetRef>\(more)</\(kind)>"
    }

    private static let input = associated(association("dataInputAssociation", ["r"], "in"))
    private static let output = associated(association("dataOutputAssociation", ["out"], "r"))

    static let associations: [ConstraintRow] = [
        .init(
            .inputAssociationPlace, "on a catch event",
            broken: associated(association("dataInputAssociation", ["r"], "in"), on: "startEvent"), good: input),
        .init(
            .inputAssociationPlace, "data of another task",
            broken: associated(association("dataInputAssociation", ["r"], "uin")), good: input),
        .init(
            .inputAssociationPlace, "input of the process",
            broken: associated(association("dataInputAssociation", ["r"], "pin")),
            good: associated(association("dataInputAssociation", ["pin"], "in"))),
        .init(
            .outputAssociationPlace, "on a throw event",
            broken: associated(association("dataOutputAssociation", ["out"], "r"), on: "endEvent"), good: output),
        .init(
            .outputAssociationPlace, "data of another task",
            broken: associated(association("dataOutputAssociation", ["uout"], "r")), good: output),
        .init(
            .outputAssociationPlace, "output of the process",
            broken: associated(association("dataOutputAssociation", ["pout"], "r")),
            good: associated(association("dataOutputAssociation", ["out"], "pout"))),
        .init(
            .associationItems, "other type", broken: associated(association("dataInputAssociation", ["k"], "in")),
            good: associated(
                association("dataInputAssociation", ["k"], "in", "<transformation>k + \"\"</transformation>"))),
        .init(
            .associationSources, "two", broken: associated(association("dataInputAssociation", ["o", "r"], "in")),
            good: associated(
                association("dataInputAssociation", ["o", "r"], "in", "<transformation>o</transformation>"))),
    ]

    /// A throw event with these data inputs and definitions, or a catch event with data outputs.
    private static func event(_ data: [(String, String)], _ definitions: String, isThrow: Bool = true) -> String {
        let (event, kind, set) =
            isThrow ? ("endEvent", "dataInput", "inputSet") : ("startEvent", "dataOutput", "outputSet")
        let content =
            data.map { "<\(kind) id=\"\($0.0)\" itemSubjectRef=\"\($0.1)\"/>" }.joined() + "<\(set)>"
            + data.map { "<\(kind)Refs>\($0.0)</\(kind)Refs>" }.joined() + "</\(set)>"
        return items
            + "<signal id=\"s\" structureRef=\"number\"/><error id=\"r\" structureRef=\"number\" errorCode=\"E\"/>"
            + "<escalation id=\"c\" structureRef=\"number\" escalationCode=\"E\"/>"
            + executable("<\(event) id=\"e\">\(content)\(definitions)</\(event)>")
    }

    private static let message = "<messageEventDefinition messageRef=\"m\"/>"
    private static let signal = "<signalEventDefinition signalRef=\"s\"/>"

    static let events: [ConstraintRow] = [
        .init(
            .eventData, "throw, one of two", broken: event([("a", "text")], message + signal),
            good: event([("a", "text"), ("b", "number")], message + signal)),
        .init(
            .eventData, "catch, one of two", broken: event([("a", "text")], message + signal, isThrow: false),
            good: event([("a", "text")], message + "<timerEventDefinition/>", isThrow: false)),
        .init(
            .eventDataItem, "message", broken: event([("a", "number")], message), good: event([("a", "text")], message)),
        .init(
            .eventDataItem, "signal caught", broken: event([("a", "text")], signal, isThrow: false),
            good: event([("a", "number")], signal, isThrow: false)),
        .init(
            .eventDataItem, "error", broken: event([("a", "text")], "<errorEventDefinition errorRef=\"r\"/>"),
            good: event([("a", "number")], "<errorEventDefinition errorRef=\"r\"/>")),
        .init(
            .eventDataItem, "escalation",
            broken: event([("a", "text")], "<escalationEventDefinition escalationRef=\"c\"/>"),
            good: event([("a", "number")], "<escalationEventDefinition escalationRef=\"c\"/>")),
        .init(
            .eventDataItem, "in the wrong order", broken: event([("a", "number"), ("b", "text")], message + signal),
            good: event([("a", "text"), ("b", "number")], message + signal)),
    ]

    @Test(arguments: objects + setRows) func objectsAndSets(_ row: ConstraintRow) throws { try row.check() }

    @Test(arguments: associations + events) func associationsAndEvents(_ row: ConstraintRow) throws { try row.check() }
}
