import ConnectorKit
import Engine
import HubDocuments
import ProcessModel
import Resilience
import Synchronization
import Values

extension ConnectorWorker {
    /// A profile written in a process model: what it changes, and how.
    struct ModelProfile: Hashable {
        var base: String
        var text: String
    }

    /// More profiles of models than this are forgotten and read again.
    private static let modelProfilesMax = 1_000

    /// How a call is guarded, from the most special to the most general: what the process model says, the profile it
    /// names, what the connection says of the operation, what it says of itself.
    func profile(
        of job: ActivatedJob, _ operation: OperationDescriptor, _ declaration: ConnectionDeclaration
    ) throws(HubError) -> ResilienceProfile {
        var profile = declaration.operations[operation.id] ?? declaration.profile
        if let name = job.header("profile") {
            guard let named = self.profiles[name] else {
                throw HubError(
                    .unknownName, "There is no resilience profile \"\(name)\".",
                    remedy: ClosestMatch.of(name, in: self.profiles.keys.sorted()).map { "Did you mean \"\($0)\"?" }
                        ?? "Declare it in the connections file.")
            }
            profile = named
        }
        guard let text = job.header("resilience") else { return profile }
        return try self.changed(profile, by: text, job, declaration)
    }

    private func changed(
        _ base: ResilienceProfile, by text: String, _ job: ActivatedJob, _ declaration: ConnectionDeclaration
    ) throws(HubError) -> ResilienceProfile {
        let source = ModelProfile(base: "\(declaration.id)/\(base.name)", text: text)
        if let known = self.modelProfiles.withLock({ $0[source] }) { return known }
        guard let value = try? JSON.parse(Array(text.utf8)) else {
            throw HubError(
                .callFailed, "The header resilience of \(job.element.id) is not a JSON document.",
                remedy: "Write it like a profile in the connections file, as JSON.")
        }
        var diagnostics: [Diagnostic] = []
        let name = "\(base.name)+\(job.definition.process.id).\(job.element.id)"
        let profile = ResilienceProfile(value, name: name, base: base, diagnostics: &diagnostics)
        if let finding = diagnostics.first {
            throw HubError(
                .callFailed, "The resilience of \(job.element.id) is wrong: \(finding.message)",
                remedy: finding.remedy ?? "Correct it in the process model.")
        }
        self.modelProfiles.withLock { profiles in
            if profiles.count >= Self.modelProfilesMax { profiles.removeAll() }
            profiles[source] = profile
        }
        return profile
    }
}
