import Decisions

/// The extension elements of one node that the importer reads.
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

extension ProcessReader {
    /// Takes what is read on this kind of node, and says what is done with the rest.
    func extensions(of container: XMLElement, kind: FlowNodeKind) -> Extensions {
        var extensions = Extensions()
        for child in container.children {
            guard let tag = child.name.extensionTag else {
                reportUnknownExtension(child)
                continue
            }
            switch tag.treatment {
            case .kept: continue
            case .ignored: reader.mention(.vendorSettingIgnored, tag.rawValue, at: child)
            case .later:
                reader.report(
                    .apgNotYet, at: child, "\(tag.rawValue) is not executed by this version.",
                    remedy: "remove it until a version that executes it")
            case .refused(let remedy):
                let code: BPMNCode = tag == .zeebeCalledDecision ? .unsupportedDecision : .vendorFeatureRefused
                reader.report(code, at: child, "\(tag.rawValue) is not executed.", remedy: remedy)
            case .read(let kinds) where !kinds.contains(FlowNodeKinds(kind)):
                reader.report(
                    .misplacedExtension, at: child,
                    "Expected \(tag.rawValue) where it has a meaning, but found it on a \(kind.noun).",
                    remedy: "remove it, or move it to the element it is meant for")
            case .read:
                if let first = extensions.first(tag), !tag.isRepeatable {
                    reader.report(
                        .conflictingDefinitions, at: child,
                        "Expected \(tag.rawValue) once, but line \(first.line) has one too.", remedy: "remove one")
                }
                extensions.append(tag, child)
            }
        }
        return extensions
    }

    private func reportUnknownExtension(_ child: XMLElement) {
        switch child.name.space {
        case .apg:
            reader.report(
                .unknownAPG, at: child, "Expected an element of the apg vocabulary, but found \(child.name.description).",
                remedy: "correct the name")
        case .zeebe, .camunda:
            reader.report(
                .unknownVendorExtension, at: child, "\(child.name.description) is not known and has no effect.",
                remedy: "check that the process does not depend on it")
        case .bpmn, .diagram, .foreign, .none, .schemaInstance:
            reader.mention(
                .foreignExtensionKept, child.name.uri.isEmpty ? "no namespace" : child.name.uri, at: child)
        }
    }

    /// Says what is done with the attributes of other namespaces on an element.
    ///
    /// - Parameter kind: The kind of node, or nil when attributes that are read have no meaning here.
    func checkAttributes(of element: XMLElement, kind: FlowNodeKind?) {
        guard element.hasQualifiedAttributes else { return }
        for (name, _) in element.attributes {
            switch name.space {
            case .camunda: checkCamundaAttribute(name, on: element, kind: kind)
            case .apg:
                reader.report(
                    .unknownAPG, at: element,
                    "Expected no attribute of the apg vocabulary, but found \(name.description).",
                    remedy: "use an element inside extensionElements")
            case .foreign: reader.mention(.foreignExtensionKept, name.uri, at: element)
            case .none, .bpmn, .diagram, .zeebe, .schemaInstance: continue
            }
        }
    }

    private func checkCamundaAttribute(_ name: XMLName, on element: XMLElement, kind: FlowNodeKind?) {
        switch CamundaAttributes.treatment(of: name.local) {
        case nil:
            reader.report(
                .unknownVendorExtension, at: element, "The attribute \(name.description) is not known and has no effect.",
                remedy: "check that the process does not depend on it")
        case .refused(let remedy)?:
            reader.report(
                .vendorFeatureRefused, at: element, "The attribute \(name.description) is not executed.", remedy: remedy)
        case .read(let kinds)?:
            guard let kind, !kinds.contains(FlowNodeKinds(kind)) else { return }
            reader.report(
                .misplacedExtension, at: element,
                "Expected \(name.description) where it has a meaning, but found it on a \(kind.noun).",
                remedy: "remove it, or move it to the element it is meant for")
        case .ignored?: reader.mention(.vendorSettingIgnored, name.description, at: element)
        case .kept?, .later?: return
        }
    }
}
