import Decisions
import Engine
import ProcessModel
import Values

/// The documents of a deployment, read: what they hold by what they are, whatever their names.
struct DeploymentDocuments {
    private(set) var processes: [NewProcess] = []
    /// Imported models come before those that import them.
    private(set) var decisions: [NewDecisions] = []
    private(set) var diagnostics: [Diagnostic] = []

    /// A DMN document.
    private struct Decisions {
        var resource: DeploymentResource
        /// The namespace of its elements.
        var namespace: String
        /// The namespaces it imports.
        var imports: [String]
    }

    /// Reads documents.
    ///
    /// - Parameters:
    ///   - resources: The documents.
    ///   - profile: How strictly to read BPMN documents.
    ///   - registry: Where decision models find those they import that are not in the deployment.
    init(_ resources: [DeploymentResource], profile: ImportProfile, registry: DecisionRegistry) {
        var documents: [Decisions] = []
        for resource in resources {
            switch DocumentFormat(of: resource.bytes) {
            case .dmn(let namespace):
                documents.append(
                    Decisions(
                        resource: resource, namespace: namespace,
                        imports: DMNImporter.importedNamespaces(resource.bytes)))
            case .bpmn:
                let result = BPMNImporter.read(resource.bytes, file: resource.name, profile: profile)
                diagnostics.append(contentsOf: result.diagnostics)
                for process in result.processes {
                    processes.append(
                        NewProcess(
                            process: process, resourceName: resource.name, resource: resource.bytes, profile: profile))
                }
            }
        }
        read(documents, registry)
    }

    /// Reads DMN documents, imported ones first.
    private mutating func read(_ documents: [Decisions], _ registry: DecisionRegistry) {
        var waiting = documents
        while !waiting.isEmpty {
            let missing = Set(waiting.map(\.namespace))
            guard let next = waiting.firstIndex(where: { missing.isDisjoint(with: $0.imports) }) else {
                // Imports in a circle: the importer says so.
                let results = DMNImporter.read(all: waiting.map { ($0.resource.bytes, $0.resource.name) })
                for result in results { diagnostics.append(contentsOf: result.diagnostics) }
                return
            }
            read(waiting.remove(at: next), registry)
        }
    }

    private mutating func read(_ document: Decisions, _ registry: DecisionRegistry) {
        var models: [String: DecisionModel] = [:]
        var imports: [NewDecisions.Import] = []
        for namespace in document.imports {
            if let position = decisions.firstIndex(where: { $0.model.namespace == namespace }) {
                models[namespace] = decisions[position].model
                imports.append(.together(position))
            } else if let deployed = registry.model(namespace: namespace) {
                models[namespace] = deployed.model
                imports.append(.deployed(deployed.key.rawValue))
            }
        }
        let (bytes, name) = (document.resource.bytes, document.resource.name)
        let result = DMNImporter.read(bytes, file: name, imports: models)
        diagnostics.append(contentsOf: result.diagnostics)
        guard let model = result.model else { return }
        decisions.append(NewDecisions(model: model, resourceName: name, resource: bytes, imports: imports))
    }
}
