import Decisions
import ProcessModel
import Testing
import Values

/// How messages are named, correlated and thrown.
@Suite struct MessageTests {
    private static let plain = "<message id=\"m\" name=\"paid\"/>"
    private static let keyed = """
        <message id="m" name="paid"><extensionElements><zeebe:subscription correlationKey="=order.id"/></extensionElements></message>
        """
    private static let operation = """
        <interface id="i" name="api"><operation id="o" name="pay"><inMessageRef>m</inMessageRef></operation></interface>
        """

    @Test(arguments: [
        "<receiveTask id=\"x\" operationRef=\"o\"/>",
        "<intermediateCatchEvent id=\"x\"><messageEventDefinition operationRef=\"o\"/></intermediateCatchEvent>",
        """
        <intermediateCatchEvent id="x"><messageEventDefinition><operationRef>o</operationRef></messageEventDefinition>
        </intermediateCatchEvent>
        """,
        "<sendTask id=\"x\" operationRef=\"o\"/>",
        "<intermediateThrowEvent id=\"x\"><messageEventDefinition operationRef=\"o\"/></intermediateThrowEvent>",
    ])
    func anOperationNamesItsMessage(xml: String) throws {
        let node = try importedNode(xml, root: Self.keyed + Self.operation)
        #expect(node.event?.text == "message paid by order.id")
        #expect(node.job == nil)
    }

    @Test func aMessageWithoutNameIsCalledByItsID() throws {
        let node = try importedNode("<receiveTask id=\"x\" messageRef=\"m\"/>", root: "<message id=\"m\"/>")
        #expect(node.event?.text == "message m by nothing")
    }

    @Test func aMessageWithoutKeyIsTakenByTheEmptyKeyWithAWarning() {
        let found = findings(around("<receiveTask id=\"x\" messageRef=\"m\"/>"), root: Self.plain)
        #expect(found.map(\.code) == ["BP308"])
        #expect(found.first?.severity == .warning)
    }

    // MARK: Correlation as the standard writes it

    private static let property = """
        <correlationProperty id="number" name="number"><correlationPropertyRetrievalExpression messageRef="m">
        <messagePath>order.number</messagePath></correlationPropertyRetrievalExpression></correlationProperty>
        """

    private static func subscription(_ bindings: String) -> String {
        "<correlationSubscription id=\"cs\" correlationKeyRef=\"k\">\(bindings)</correlationSubscription>"
    }

    private static func binding(_ property: String, _ path: String) -> String {
        """
        <correlationPropertyBinding id="b-\(property)" correlationPropertyRef="\(property)"><dataPath>\(path)</dataPath>
        </correlationPropertyBinding>
        """
    }

    @Test func aSubscriptionGivesTheKeyOfAWaitingInstance() throws {
        let process = try imported(
            around("<receiveTask id=\"x\" messageRef=\"m\"/>") + Self.subscription(Self.binding("number", "expected")),
            root: Self.plain + Self.property)
        #expect(process.node(id: "x")?.event?.text == "message paid by expected")
    }

    @Test func aRetrievalExpressionGivesTheKeyOfAThrownMessage() throws {
        let node = try importedNode("<sendTask id=\"x\" messageRef=\"m\"/>", root: Self.plain + Self.property)
        #expect(node.event?.text == "message paid by order.number")
    }

    @Test func propertiesOfOtherMessagesGiveNoKey() {
        let content =
            around("<receiveTask id=\"x\" messageRef=\"m\"/>") + Self.subscription(Self.binding("number", "expected"))
        let root = Self.plain + Self.property.replacing("messageRef=\"m\"", with: "messageRef=\"other\"")
        #expect(codes(findings(content, root: root)) == ["BP308"])
    }

    @Test func severalPropertiesAreNoKey() {
        let content =
            around("<receiveTask id=\"x\" messageRef=\"m\"/>")
            + Self.subscription(Self.binding("number", "a") + Self.binding("second", "b"))
        let second = Self.property.replacing("\"number\"", with: "\"second\"")
        #expect(codes(findings(content, root: Self.plain + Self.property + second)) == ["BP332"])
        let thrown = findings(
            around("<sendTask id=\"x\" messageRef=\"m\"/>"), root: Self.plain + Self.property + second)
        #expect(codes(thrown) == [])
    }

    // MARK: Throwing

    @Test(arguments: [
        "<sendTask id=\"x\" messageRef=\"m\">@</sendTask>",
        "<intermediateThrowEvent id=\"x\">@<messageEventDefinition messageRef=\"m\"/></intermediateThrowEvent>",
        "<intermediateThrowEvent id=\"x\"><messageEventDefinition messageRef=\"m\">@</messageEventDefinition></intermediateThrowEvent>",
    ])
    func aThrownMessageHasKeyIdAndTimeToLive(xml: String) throws {
        let extensions = """
            <extensionElements><zeebe:publishMessage correlationKey="=key" messageId="=id" timeToLive="PT5M"/></extensionElements>
            """
        let node = try importedNode(xml.replacing("@", with: extensions), root: Self.keyed)
        guard case .message(let message)? = node.event else {
            Issue.record("no message: \(String(describing: node.event))")
            return
        }
        #expect(message.name.text == "paid")
        #expect(message.correlationKey?.source == "key")
        #expect(message.messageID?.text == "=id")
        #expect(message.timeToLive?.text == "PT5M")
    }

    @Test func aThrownKeyMayBeLiteral() throws {
        let node = try importedNode(
            """
            <sendTask id="x" messageRef="m"><extensionElements><zeebe:publishMessage correlationKey="a &quot;b&quot;"/>
            </extensionElements></sendTask>
            """, root: Self.plain)
        guard case .message(let message)? = node.event else { return #expect(Bool(false), "no message") }
        #expect(message.correlationKey?.constant == "a \"b\"")
        #expect(message.timeToLive == nil)
    }

    @Test(arguments: ["soon", "-PT1M"])
    func aWrongTimeToLiveIsFound(text: String) {
        let xml = """
            <sendTask id="x" messageRef="m"><extensionElements><zeebe:publishMessage timeToLive="\(text)"/></extensionElements>
            </sendTask>
            """
        #expect(codes(findings(around(xml), root: Self.plain)) == ["BP405"])
    }

    @Test(arguments: [
        """
        <intermediateThrowEvent id="x"><extensionElements><zeebe:taskDefinition type="mail"/></extensionElements>
        <messageEventDefinition messageRef="m"/></intermediateThrowEvent>
        """,
        """
        <intermediateThrowEvent id="x"><messageEventDefinition messageRef="m" camunda:type="external" camunda:topic="mail"/>
        </intermediateThrowEvent>
        """,
        "<sendTask id=\"x\" messageRef=\"m\" camunda:type=\"external\" camunda:topic=\"mail\"/>",
    ])
    func aWorkerMayThrowTheMessage(xml: String) throws {
        let node = try importedNode(xml, root: Self.plain)
        #expect(node.job?.type.text == "mail")
        #expect(node.event?.text ?? "none" == "none")
    }

    @Test func onlyMessagesAreThrownByWorkers() {
        let xml = """
            <intermediateThrowEvent id="x"><extensionElements><zeebe:taskDefinition type="mail"/></extensionElements>
            </intermediateThrowEvent>
            """
        #expect(codes(findings(around(xml))) == ["BP610"])
    }

    @Test func aThrowEventMapsInputs() throws {
        let node = try importedNode(
            """
            <intermediateThrowEvent id="x"><extensionElements><zeebe:ioMapping><zeebe:input source="=a" target="b"/>
            </zeebe:ioMapping></extensionElements><messageEventDefinition messageRef="m"/></intermediateThrowEvent>
            """, root: Self.plain)
        #expect(node.inputs.map(\.text) == ["b ← =a"])
    }

    // MARK: Operations as work

    @Test func aServiceTaskWithAnOperationIsAJobOfItsName() throws {
        let content = around("<serviceTask id=\"x\" operationRef=\"o\"/>")
        #expect(codes(findings(content, root: Self.plain + Self.operation)) == ["BP614"])
        #expect(try imported(content, root: Self.plain + Self.operation).node(id: "x")?.job?.type.text == "pay")
    }
}
