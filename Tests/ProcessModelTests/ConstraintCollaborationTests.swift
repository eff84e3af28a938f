import Testing
import Values

@testable import ProcessModel

/// Collaborations and choreographies, ids, references and the form of text.
@Suite struct ConstraintCollaborationTests {
    /// Two pools, of process `p` with task `t` and of process `q` with task `u`, and a black box.
    private static func pools(_ flow: String, _ inside: String = "") -> String {
        """
        <collaboration id="c"><participant id="a" processRef="p"/><participant id="b" processRef="q"/>
        <participant id="box"/>\(flow)</collaboration><process id="q"><task id="u"/></process>
        """ + executable("<task id=\"t\"/>\(inside)")
    }

    private static func messageFlow(_ source: String, _ target: String) -> String {
        "<messageFlow id=\"f\" sourceRef=\"\(source)\" targetRef=\"\(target)\"/>"
    }

    private static func multiplicity(_ attributes: String) -> String {
        """
        <collaboration id="c"><participant id="a"><participantMultiplicity \(attributes)/></participant></collaboration>
        """
    }

    private static let note = "<textAnnotation id=\"n\"/>"
    private static let twoPools = pools(messageFlow("t", "u"))

    static let collaborations: [ConstraintRow] = [
        .init(.messageFlowToArtifact, "text", broken: pools(messageFlow("t", "n"), note), good: twoPools),
        .init(.messageFlowFromArtifact, "text", broken: pools(messageFlow("n", "u"), note), good: twoPools),
        .init(.messageFlowEnds, "to its own pool", broken: pools(messageFlow("t", "a")), good: twoPools),
        .init(
            .messageFlowEnds, "within a pool", broken: pools(messageFlow("t", "v"), "<task id=\"v\"/>"), good: twoPools),
        .init(
            .messageFlowEnds, "circle", broken: pools(messageFlow("box", "box")), good: pools(messageFlow("box", "b"))),
        .init(
            .messageFlowEnds, "gateway", broken: pools(messageFlow("g", "u"), "<exclusiveGateway id=\"g\"/>"),
            good: twoPools),
        .init(
            .messageFlowEnds, "event sub-process",
            broken: pools(messageFlow("s", "u"), "<subProcess id=\"s\" triggeredByEvent=\"true\"/>"),
            good: pools(messageFlow("s", "u"), "<subProcess id=\"s\"/>")),
        .init(
            .participantMinimum, "negative", broken: multiplicity("minimum=\"-1\""), good: multiplicity("minimum=\"0\"")
        ),
        .init(
            .participantMaximum, "below the minimum", broken: multiplicity("minimum=\"3\" maximum=\"2\""),
            good: multiplicity("minimum=\"2\" maximum=\"2\"")),
        .init(
            .participantMaximum, "default below the minimum", broken: multiplicity("minimum=\"2\""),
            good: multiplicity("")),
        .init(
            .participantMaximum, "zero", broken: multiplicity("maximum=\"0\""), good: multiplicity("maximum=\"1\"")),
        .init(
            .choreographyReference, "choreography",
            broken:
                "<choreography id=\"d\"/><choreography id=\"c\"><choreographyRef>d</choreographyRef></choreography>",
            good: "<choreography id=\"d\"/><collaboration id=\"c\"><choreographyRef>d</choreographyRef></collaboration>"
        ),
        .init(
            .choreographyReference, "global conversation",
            broken: "<choreography id=\"d\"/>"
                + "<globalConversation id=\"c\"><choreographyRef>d</choreographyRef></globalConversation>",
            good: "<globalConversation id=\"c\"/>"),
        .init(
            .globalConversationContent, "conversation",
            broken: "<globalConversation id=\"c\"><conversation id=\"d\"/></globalConversation>",
            good: "<globalConversation id=\"c\"><participant id=\"a\"/><correlationKey id=\"k\"/></globalConversation>"),
        .init(
            .globalConversationContent, "artifact",
            broken: "<globalConversation id=\"c\"><textAnnotation id=\"d\"/></globalConversation>",
            good: "<collaboration id=\"c\"><textAnnotation id=\"d\"/></collaboration>"),
        .init(.closedChoreography, "not mapped", broken: closed(""), good: closed(mapping)),
        .init(.closedChoreography, "open", broken: closed(""), good: closed("", isClosed: false)),
        .init(
            .publicExecutable, "public", broken: executable("", "processType=\"Public\""),
            good: executable("", "processType=\"Private\"")),
    ]

    private static let mapping = "<messageFlowAssociation innerMessageFlowRef=\"inner\" outerMessageFlowRef=\"f\"/>"

    private static func closed(_ content: String, isClosed: Bool = true) -> String {
        """
        <choreography id="d" isClosed="\(isClosed)"><participant id="x"/><participant id="y"/>
        <messageFlow id="inner" sourceRef="x" targetRef="y"/></choreography>
        """ + pools(messageFlow("t", "u") + "<choreographyRef>d</choreographyRef>" + content)
    }

    static let forms: [ConstraintRow] =
        [
            .init(
                .duplicateID, "two tasks", broken: executable("<task id=\"t\"/><task id=\"t\"/>"),
                good: executable("<task id=\"t\"/><task id=\"u\"/>")),
            .init(
                .duplicateID, "item and task", broken: "<itemDefinition id=\"t\"/>" + executable("<task id=\"t\"/>"),
                good: executable("<task id=\"t\"><extensionElements><task id=\"t\"/></extensionElements></task>")),
            .init(
                .missingID, "event", broken: executable("<startEvent/>"),
                good: executable("<startEvent id=\"s\"><timerEventDefinition/></startEvent>")),
            .init(.missingID, "message", broken: "<message name=\"m\"/>", good: "<message id=\"m\"/>"),
            .init(
                .textFormat, "documentation",
                broken: executable("<documentation textFormat=\"plain\">a</documentation>"),
                good: executable("<documentation textFormat=\"text/html; charset=utf-8\">a</documentation>")),
            .init(
                .textFormat, "annotation", broken: executable("<textAnnotation id=\"n\" textFormat=\"text/\"/>"),
                good: executable("<textAnnotation id=\"n\" textFormat=\"text/plain\"/>")),
            .init(
                .expressionLanguage, "name",
                broken: expression("xsi:type=\"tFormalExpression\" language=\"FEEL\""),
                good: expression(
                    "xsi:type=\"tFormalExpression\" language=\"https://www.omg.org/spec/DMN/20191111/FEEL/\"")),
            .init(
                .expressionLanguage, "wrong escape",
                broken: expression("xsi:type=\"tFormalExpression\" language=\"urn:a%2\""),
                good: expression("xsi:type=\"tFormalExpression\" language=\"urn:a%2F\"")),
            .init(
                .emptyExpression, "transformation",
                broken: executable(
                    "<task id=\"t\"><dataInputAssociation><transformation> </transformation></dataInputAssociation></task>"
                ),
                good: executable(
                    "<task id=\"t\"><dataInputAssociation><transformation>a</transformation></dataInputAssociation></task>"
                )),
            .init(
                .emptyExpression, "correlation, outside the process",
                broken: "<correlationProperty id=\"c\"><correlationPropertyRetrievalExpression><messagePath/>"
                    + "</correlationPropertyRetrievalExpression></correlationProperty>" + executable(""),
                good:
                    "<correlationProperty id=\"c\"><correlationPropertyRetrievalExpression><messagePath>a</messagePath>"
                    + "</correlationPropertyRetrievalExpression></correlationProperty>" + executable("")),
        ] + informal

    private static func expression(_ attributes: String) -> String {
        executable(
            "<complexGateway id=\"x\"><activationCondition \(attributes)>a</activationCondition></complexGateway>")
    }

    /// Every place of an expression, with the element around it.
    private static let places: [(element: String, around: @Sendable (String) -> String)] = [
        ("conditionExpression", { "<task id=\"x\"/>" + flow("x", "x", $0) }),
        ("activationCondition", { "<complexGateway id=\"x\">\($0)</complexGateway>" }),
        ("loopCondition", { "<task id=\"x\"><standardLoopCharacteristics>\($0)</standardLoopCharacteristics></task>" }),
        ("loopCardinality", { around(loop: $0) }), ("completionCondition", { around(loop: $0) }),
        (
            "from",
            { "<task id=\"x\"><dataInputAssociation><assignment>\($0)</assignment></dataInputAssociation></task>" }
        ),
        ("to", { "<task id=\"x\"><dataInputAssociation><assignment>\($0)</assignment></dataInputAssociation></task>" }),
        ("timeDate", { around(timer: $0) }), ("timeCycle", { around(timer: $0) }),
        ("timeDuration", { around(timer: $0) }),
        (
            "condition",
            { "<startEvent id=\"x\"><conditionalEventDefinition>\($0)</conditionalEventDefinition></startEvent>" }
        ),
    ]

    private static func around(loop: String) -> String {
        "<task id=\"x\"><multiInstanceLoopCharacteristics>\(loop)</multiInstanceLoopCharacteristics></task>"
    }

    private static func around(timer: String) -> String {
        "<startEvent id=\"x\"><timerEventDefinition>\(timer)</timerEventDefinition></startEvent>"
    }

    private static let informal = places.flatMap { place -> [ConstraintRow] in
        let good = executable(place.around(formal(place.element, "a")))
        return [
            ConstraintRow(
                .informalExpression, place.element,
                broken: executable(place.around("<\(place.element)>a</\(place.element)>")), good: good),
            ConstraintRow(
                .emptyExpression, place.element, broken: executable(place.around(formal(place.element, ""))), good: good
            ),
        ]
    }

    @Test(arguments: collaborations) func collaboration(_ row: ConstraintRow) throws { try row.check() }

    @Test(arguments: forms) func form(_ row: ConstraintRow) throws { try row.check() }

    @Test func peopleMayWriteAsTheyLikeInProcessesThatAreNotExecuted() throws {
        let found = try constraintFindings(
            "<process id=\"q\" isExecutable=\"false\"><scriptTask id=\"x\"><script>a</script></scriptTask>"
                + flow("x", "x", "<conditionExpression>done?</conditionExpression>") + "</process>")
        #expect(!found.map(\.code).contains { ["BC012", "BC053"].contains($0) })
    }
}
