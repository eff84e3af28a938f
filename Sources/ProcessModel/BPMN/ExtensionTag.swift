/// The extension elements the importer knows, named `vocabulary:element`.
enum ExtensionTag: String, Sendable, CaseIterable {
    // Zeebe (Camunda 8)
    case zeebeTaskDefinition = "zeebe:taskDefinition"
    case zeebeTaskHeaders = "zeebe:taskHeaders"
    case zeebeIOMapping = "zeebe:ioMapping"
    case zeebeLoopCharacteristics = "zeebe:loopCharacteristics"
    case zeebeCalledElement = "zeebe:calledElement"
    case zeebeCalledDecision = "zeebe:calledDecision"
    case zeebeScript = "zeebe:script"
    case zeebeAssignmentDefinition = "zeebe:assignmentDefinition"
    case zeebeTaskSchedule = "zeebe:taskSchedule"
    case zeebePriorityDefinition = "zeebe:priorityDefinition"
    case zeebeFormDefinition = "zeebe:formDefinition"
    case zeebeUserTask = "zeebe:userTask"
    case zeebeSubscription = "zeebe:subscription"
    case zeebeVersionTag = "zeebe:versionTag"
    case zeebeProperties = "zeebe:properties"
    case zeebeUserTaskForm = "zeebe:userTaskForm"
    case zeebeExecutionListeners = "zeebe:executionListeners"
    case zeebeTaskListeners = "zeebe:taskListeners"
    case zeebeLinkedResources = "zeebe:linkedResources"
    case zeebeAdHoc = "zeebe:adHoc"
    case zeebePublishMessage = "zeebe:publishMessage"
    case zeebeConditionalFilter = "zeebe:conditionalFilter"

    // Camunda 7 and its relatives
    case camundaInputOutput = "camunda:inputOutput"
    case camundaIn = "camunda:in"
    case camundaOut = "camunda:out"
    case camundaProperties = "camunda:properties"
    case camundaFormData = "camunda:formData"
    case camundaFormProperty = "camunda:formProperty"
    case camundaPotentialStarter = "camunda:potentialStarter"
    case camundaFailedJobRetryTimeCycle = "camunda:failedJobRetryTimeCycle"
    case camundaField = "camunda:field"
    case camundaConnector = "camunda:connector"
    case camundaExecutionListener = "camunda:executionListener"
    case camundaTaskListener = "camunda:taskListener"
    case camundaErrorEventDefinition = "camunda:errorEventDefinition"

    // Ours
    case apgCall = "apg:call"
    case apgResult = "apg:result"
    case apgErrors = "apg:errors"
    case apgResilience = "apg:resilience"
    case apgIO = "apg:io"
    case apgSet = "apg:set"
    case apgPriority = "apg:priority"
    case apgCapability = "apg:capability"
    case apgSLA = "apg:sla"
    case apgAssignment = "apg:assignment"
    case apgDue = "apg:due"
    case apgEscalation = "apg:escalation"
    case apgForm = "apg:form"
    case apgTask = "apg:task"
    case apgTrigger = "apg:trigger"
    case apgSensitive = "apg:sensitive"
    case apgCost = "apg:cost"
    case apgStepUp = "apg:stepUp"
    case apgEdge = "apg:edge"
    case apgCallback = "apg:callback"
    case apgNotify = "apg:notify"
    case apgAudit = "apg:audit"
    case apgCollaboration = "apg:collaboration"
}

/// What the importer does with an extension element or attribute.
enum ExtensionTreatment {
    /// It is executed on these kinds of nodes and has no meaning elsewhere.
    case read(FlowNodeKinds)
    /// It is for people and tools; nothing happens at run time.
    case kept
    /// It tunes another engine and does not change what a process does.
    case ignored
    /// It would change what the process does and is not executed: what to do instead.
    case refused(String)
    /// It names Java code, which the lenient profile makes a job: what to do instead in the others.
    case delegate(String)
    /// It belongs to our vocabulary but comes later.
    case later

    /// Whether it is not executed as written.
    var isRefused: Bool {
        switch self {
        case .refused, .delegate: true
        default: false
        }
    }
}

/// A set of node kinds.
struct FlowNodeKinds: OptionSet, Sendable {
    let rawValue: UInt32

    init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    init(_ kind: FlowNodeKind) {
        rawValue = 1 << UInt32(kind.rawValue)
    }

    static let process = FlowNodeKinds(.process)
    static let callActivity = FlowNodeKinds(.callActivity)
    static let userTask = FlowNodeKinds(.userTask)
    static let scriptTask = FlowNodeKinds(.scriptTask)
    static let startEvent = FlowNodeKinds(.startEvent)
    /// What connectors may be called from.
    static let calls: FlowNodeKinds = [FlowNodeKinds(.serviceTask), FlowNodeKinds(.sendTask)]
    /// What can become a job.
    static let jobs: FlowNodeKinds = [.calls, .scriptTask, FlowNodeKinds(.businessRuleTask), .throwing]
    /// Events that throw.
    static let throwing: FlowNodeKinds = [FlowNodeKinds(.intermediateThrowEvent), FlowNodeKinds(.endEvent)]
    static let activities: FlowNodeKinds = [
        .jobs, .userTask, .callActivity, FlowNodeKinds(.subProcess), FlowNodeKinds(.transaction),
        FlowNodeKinds(.adHocSubProcess), FlowNodeKinds(.eventSubProcess), FlowNodeKinds(.task),
        FlowNodeKinds(.manualTask), FlowNodeKinds(.receiveTask),
    ]
    /// What has variables of its own or takes them from a message.
    static let mapped: FlowNodeKinds = [
        .activities, .startEvent, FlowNodeKinds(.intermediateCatchEvent), FlowNodeKinds(.boundaryEvent),
    ]
}

extension ExtensionTag {
    /// What the importer does with it.
    var treatment: ExtensionTreatment {
        switch self {
        case .zeebeTaskDefinition: .read(.jobs)
        case .zeebeTaskHeaders: .read([.jobs, .userTask])
        case .zeebeIOMapping: .read(.mapped)
        case .zeebeCalledElement: .read(.callActivity)
        case .zeebeScript: .read(.scriptTask)
        case .zeebeAssignmentDefinition, .zeebeTaskSchedule, .zeebeFormDefinition, .zeebeUserTask: .read(.userTask)
        case .zeebePriorityDefinition: .read([.userTask, .jobs])
        case .zeebeVersionTag: .read(.process)
        case .zeebeLoopCharacteristics, .zeebeSubscription: .read([])
        case .zeebeCalledDecision: .read(FlowNodeKinds(.businessRuleTask))
        case .zeebePublishMessage: .read([.throwing, FlowNodeKinds(.sendTask)])
        case .zeebeConditionalFilter: .refused("remove it; the condition is evaluated whenever variables change")
        case .zeebeProperties, .zeebeUserTaskForm: .kept
        case .zeebeExecutionListeners, .zeebeTaskListeners:
            .refused("put the work into a task of its own before or after this element")
        case .zeebeLinkedResources: .refused("remove it and hand the resource to the worker in a header")
        case .zeebeAdHoc: .read(FlowNodeKinds(.adHocSubProcess))

        case .camundaInputOutput: .read(.activities)
        case .camundaIn, .camundaOut: .read(.callActivity)
        case .camundaProperties, .camundaFormData, .camundaFormProperty, .camundaPotentialStarter: .kept
        case .camundaFailedJobRetryTimeCycle: .ignored
        case .camundaField: .refused("field injection needs Java; pass values with input mappings")
        case .camundaConnector: .refused("call a connector with apg:call")
        case .camundaExecutionListener, .camundaTaskListener:
            .refused("put the work into a task of its own before or after this element")
        case .camundaErrorEventDefinition: .refused("let the worker throw the BPMN error")

        case .apgCall, .apgErrors, .apgResilience: .read(.calls)
        case .apgResult: .read(.jobs)
        case .apgIO: .read(.activities)
        case .apgSet: .read(.scriptTask)
        case .apgPriority: .read([.process, .activities])
        case .apgCapability, .apgSLA, .apgAssignment, .apgDue, .apgEscalation, .apgForm, .apgTask, .apgTrigger,
            .apgSensitive, .apgCost, .apgStepUp, .apgEdge, .apgCallback, .apgNotify, .apgAudit, .apgCollaboration:
            .later
        }
    }

    /// Whether a node may carry it more than once.
    var isRepeatable: Bool {
        switch self {
        case .camundaIn, .camundaOut, .apgSet, .apgIO: true
        default: false
        }
    }
}

/// The attributes of the Camunda 7 vocabulary, by what the importer does with them.
enum CamundaAttributes {
    /// What to do with an attribute of this name, or nil when it is unknown.
    static func treatment(of local: String) -> ExtensionTreatment? {
        treatments[local]
    }

    private static let useWorker = "let a job worker do it: camunda:type=\"external\" with camunda:topic"
    private static let noVariable = "remove it; the variable is not set"

    private static let treatments: [String: ExtensionTreatment] = [
        "type": .read(.jobs), "topic": .read(.jobs), "taskPriority": .read(.jobs.union(.process)),
        "resultVariable": .read(.jobs),
        "decisionRef": .read(FlowNodeKinds(.businessRuleTask)),
        "decisionRefBinding": .read(FlowNodeKinds(.businessRuleTask)),
        "decisionRefVersion": .read(FlowNodeKinds(.businessRuleTask)),
        "decisionRefVersionTag": .read(FlowNodeKinds(.businessRuleTask)),
        "mapDecisionResult": .read(FlowNodeKinds(.businessRuleTask)),
        "assignee": .read(.userTask), "candidateUsers": .read(.userTask), "candidateGroups": .read(.userTask),
        "dueDate": .read(.userTask), "followUpDate": .read(.userTask), "priority": .read(.userTask),
        "formKey": .read([.userTask, .startEvent]), "formRef": .read([.userTask, .startEvent]),
        "calledElementBinding": .read(.callActivity), "calledElementVersion": .read(.callActivity),
        "calledElementVersionTag": .read(.callActivity),
        "versionTag": .read(.process), "collection": .read([]), "elementVariable": .read([]),
        "messageExpression": .read([]), "signalExpression": .read([]),
        "class": .delegate(useWorker), "delegateExpression": .delegate(useWorker), "expression": .delegate(useWorker),
        "decisionRefTenantId": .refused("remove it; the decision belongs to the caller's tenant"),
        "variableName": .refused("remove it; a condition is evaluated whenever variables change"),
        "variableEvents": .refused("remove it; a condition is evaluated whenever variables change"),
        "caseRef": .refused("call a process instead of a case"),
        "variableMappingClass": .refused("map variables with camunda:in and camunda:out"),
        "variableMappingDelegateExpression": .refused("map variables with camunda:in and camunda:out"),
        "calledElementTenantId": .refused("remove it; the called process belongs to the caller's tenant"),
        "formHandlerClass": .refused("remove it; forms are not computed by Java code"),
        "resource": .refused("write the script or condition into the model"),
        "skipExpression": .refused("put an exclusive gateway before the element"),
        "elementIndexVariable": .refused("use the loopCounter variable"),
        "initiator": .refused(noVariable), "errorCodeVariable": .refused(noVariable),
        "errorMessageVariable": .refused(noVariable), "escalationCodeVariable": .refused(noVariable),
        "triggerable": .refused("add a receive task after this element"),
        "useLocalScopeForResultVariable": .refused("use an output mapping"),
        "autoStoreVariables": .refused("return the values as the script's result"),
        "asyncBefore": .ignored, "asyncAfter": .ignored, "async": .ignored, "exclusive": .ignored,
        "jobPriority": .ignored, "historyTimeToLive": .ignored, "isStartableInTasklist": .kept,
        "candidateStarterUsers": .kept, "candidateStarterGroups": .kept, "modelerTemplate": .kept,
        "modelerTemplateVersion": .kept, "modelerTemplateIcon": .kept, "formRefBinding": .kept, "formRefVersion": .kept,
        "errorMessage": .kept, "diagramRelationId": .kept, "isolated": .kept, "formFieldValidation": .kept,
    ]
}
