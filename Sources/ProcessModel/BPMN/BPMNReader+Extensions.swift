import Decisions

/// The extension elements of one element that the importer reads.
struct Extensions {
    private(set) var items: [(tag: ExtensionTag, element: XMLElement)] = []

    /// The first of a kind.
    func first(_ tag: ExtensionTag) -> XMLElement? {
        items.first { $0.tag == tag }?.element
    }

    /// All of a kind, in document order.
    func all(_ tag: ExtensionTag) -> [XMLElement] {
        items.filter { $0.tag == tag }.map(\.element)
    }

    fileprivate mutating func append(_ tag: ExtensionTag, _ element: XMLElement) {
        items.append((tag, element))
    }
}

/// What extensions can stand on, which decides whether they mean something there.
enum ExtensionHolder {
    case node(FlowNodeKind)
    case loop
    case message
    case definition(BPMNTag)
    case other(String)

    fileprivate var noun: String {
        switch self {
        case .node(let kind): kind.noun
        case .loop: "multi-instance marker"
        case .message: "message"
        case .definition(let tag): "\(tag.eventNoun ?? "") event definition"
        case .other(let noun): noun
        }
    }

    fileprivate func reads(_ tag: ExtensionTag, _ kinds: FlowNodeKinds) -> Bool {
        switch self {
        case .node(let kind): kinds.contains(FlowNodeKinds(kind))
        case .loop: tag == .zeebeLoopCharacteristics
        case .message: tag == .zeebeSubscription
        case .definition(let definition): tag == .zeebePublishMessage && definition == .messageEventDefinition
        case .other: false
        }
    }

    fileprivate func readsAttribute(_ local: String, _ kinds: FlowNodeKinds) -> Bool {
        switch self {
        case .node(let kind): kinds.contains(FlowNodeKinds(kind))
        case .loop: local == "collection" || local == "elementVariable"
        case .definition(.messageEventDefinition):
            ["type", "topic", "taskPriority", "messageExpression"].contains(local)
        case .definition(.signalEventDefinition): local == "signalExpression"
        case .definition, .message, .other: false
        }
    }
}

extension BPMNReader {
    /// Takes the extension elements that are read on this holder, and says what is done with the rest.
    func readExtensions(_ container: XMLElement, on holder: ExtensionHolder, into extensions: inout Extensions) {
        for child in container.children {
            guard let tag = child.name.extensionTag else {
                reportUnknownExtension(child)
                continue
            }
            switch tag.treatment {
            case .kept: continue
            case .ignored: mention(.vendorSettingIgnored, tag.rawValue, at: child)
            case .later:
                report(
                    .apgNotYet, at: child, "\(tag.rawValue) is not executed by this version.",
                    remedy: "remove it until a version that executes it")
            case .refused, .delegate: refuseVendorFeature(tag.rawValue, tag.treatment, at: child)
            case .read(let kinds) where !holder.reads(tag, kinds): reportMisplaced(tag.rawValue, on: holder, at: child)
            case .read:
                if let first = extensions.first(tag), !tag.isRepeatable {
                    report(
                        .conflictingDefinitions, at: child,
                        "Expected \(tag.rawValue) once, but line \(first.line) has one too.", remedy: "remove one")
                }
                checkAPGAttributes(of: child)
                extensions.append(tag, child)
            }
        }
    }

    /// Says what is done with the extensions of an element of which none is read.
    func checkExtensions(of element: XMLElement, on holder: ExtensionHolder) {
        checkAttributes(of: element, on: holder)
        var extensions = Extensions()
        for child in element.children where child.tag == .extensionElements {
            readExtensions(child, on: holder, into: &extensions)
        }
    }

    /// Says what is done with the attributes of other namespaces on an element.
    func checkAttributes(of element: XMLElement, on holder: ExtensionHolder) {
        guard element.hasQualifiedAttributes else { return }
        for (name, _) in element.attributes {
            switch name.space {
            case .camunda: checkCamundaAttribute(name, of: element, on: holder)
            case .apg:
                report(
                    .unknownAPG, at: element,
                    "Expected no attribute of the apg vocabulary, but found \(name.description).",
                    remedy: "use an element inside extensionElements")
            case .foreign: mention(.foreignExtensionKept, name.uri, at: element)
            case .none, .bpmn, .diagram, .zeebe, .schemaInstance: continue
            }
        }
    }

    private func checkCamundaAttribute(_ name: XMLName, of element: XMLElement, on holder: ExtensionHolder) {
        switch CamundaAttributes.treatment(of: name.local) {
        case nil:
            report(
                .unknownVendorExtension, at: element,
                "The attribute \(name.description) is not known and has no effect.",
                remedy: "check that the process does not depend on it")
        case let treatment? where treatment.isRefused: refuseVendorFeature(name.description, treatment, at: element)
        case .read(let kinds)?:
            guard !holder.readsAttribute(name.local, kinds) else { return }
            reportMisplaced(name.description, on: holder, at: element)
        case .ignored?: mention(.vendorSettingIgnored, name.description, at: element)
        default: return
        }
    }

    /// Refuses what another engine would do; the lenient profile keeps it and says so.
    func refuseVendorFeature(_ what: String, _ treatment: ExtensionTreatment, at element: XMLElement) {
        switch treatment {
        case .delegate where profile == .lenient: return
        case .refused where profile == .lenient: mention(.vendorFeatureKept, what, at: element)
        case .refused(let remedy), .delegate(let remedy):
            report(.vendorFeatureRefused, at: element, "\(what) is not executed.", remedy: remedy)
        default: return
        }
    }

    /// Says that what another engine runs in its own process becomes a job.
    func reportDelegate(_ attribute: String, type: String, at element: XMLElement) {
        report(
            .delegateAsJob, at: element,
            "The \(attribute) of \(element.attribute("id") ?? element.name.local) becomes a job of type \(type).",
            remedy: "let a worker take jobs of this type")
    }

    private func reportMisplaced(_ what: String, on holder: ExtensionHolder, at element: XMLElement) {
        report(
            .misplacedExtension, at: element,
            "Expected \(what) where it has a meaning, but found it on a \(holder.noun).",
            remedy: "remove it, or move it to the element it is meant for")
    }
}
