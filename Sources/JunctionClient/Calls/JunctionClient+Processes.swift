public import Values

extension JunctionClient {
    /// Deploys documents together: all of them or none.
    ///
    /// - Parameters:
    ///   - documents: BPMN and DMN documents.
    ///   - profile: How strictly BPMN documents are read: `lenient`, `standard` or `strict`; nil leaves it to the server.
    public func deploy(_ documents: [DeploymentDocument], profile: String? = nil) async throws -> Deployment {
        var form = MultipartWriter()
        if let profile { form.field("profile", profile) }
        for document in documents { form.file("resources", name: document.name, bytes: document.bytes) }
        let answer = try await self.call(
            "POST", "/v2/deployments", body: form.finish(), contentType: form.contentType)
        return try Deployment(answer.value)
    }

    /// Starts a process.
    ///
    /// - Parameters:
    ///   - process: Which one.
    ///   - variables: A JSON object; nil for no variables.
    ///   - businessID: A name for the instance in the business.
    ///   - idempotencyKey: Makes a repeated call return the instance of the first one.
    ///   - awaitCompletion: Waits until the instance has ended, at most this long.
    public func startInstance(
        _ process: ProcessReference, variables: [UInt8]? = nil, businessID: String? = nil,
        idempotencyKey: String? = nil, awaitCompletion: Duration? = nil
    ) async throws -> StartedInstance {
        var writer = JSONWriter(capacity: 256 + (variables?.count ?? 0))
        writer.beginObject()
        switch process {
        case .process(let id, let version):
            writer.key("processDefinitionId")
            writer.value(id)
            if let version {
                writer.key("processDefinitionVersion")
                writer.value(version)
            }
        case .definition(let key):
            writer.key("processDefinitionKey")
            writer.value(key)
        }
        if let variables {
            writer.key("variables")
            writer.raw(variables)
        }
        if let businessID {
            writer.key("businessId")
            writer.value(businessID)
        }
        if let awaitCompletion {
            writer.key("awaitCompletion")
            writer.value(true)
            writer.key("requestTimeout")
            writer.value(max(1, awaitCompletion.milliseconds))
        }
        writer.endObject()
        let answer = try await self.call(
            "POST", "/v2/process-instances", body: writer.bytes,
            headers: idempotencyKey.map { [("idempotency-key", $0)] } ?? [], waiting: awaitCompletion ?? .zero)
        return try StartedInstance(answer)
    }

    /// Ends an instance and everything inside it.
    public func cancelInstance(_ key: Key) async throws {
        _ = try await self.call("POST", "/v2/process-instances/\(key)/cancellation")
    }

    /// Publishes a message.
    ///
    /// - Parameters:
    ///   - name: The message name.
    ///   - correlationKey: Which instance it is for; empty reaches message start events only.
    ///   - timeToLive: How long it may wait for a receiver.
    ///   - messageID: Unique for its name and correlation key while it is buffered.
    ///   - variables: A JSON object.
    /// - Returns: The key of the message.
    @discardableResult
    public func publishMessage(
        _ name: String, correlationKey: String = "", timeToLive: Duration = .zero, messageID: String? = nil,
        variables: [UInt8]? = nil
    ) async throws -> Key {
        var writer = JSONWriter(capacity: 256 + (variables?.count ?? 0))
        writer.beginObject()
        writer.key("name")
        writer.value(name)
        writer.key("correlationKey")
        writer.value(correlationKey)
        writer.key("timeToLive")
        writer.value(timeToLive.milliseconds)
        if let messageID {
            writer.key("messageId")
            writer.value(messageID)
        }
        if let variables {
            writer.key("variables")
            writer.raw(variables)
        }
        writer.endObject()
        return try await self.call("POST", "/v2/messages/publication", body: writer.bytes).value.wireKey("messageKey")
    }

    /// Broadcasts a signal.
    ///
    /// - Parameters:
    ///   - name: The signal name.
    ///   - variables: A JSON object.
    /// - Returns: The key of the signal.
    @discardableResult
    public func broadcastSignal(_ name: String, variables: [UInt8]? = nil) async throws -> Key {
        var writer = JSONWriter(capacity: 128 + (variables?.count ?? 0))
        writer.beginObject()
        writer.key("signalName")
        writer.value(name)
        if let variables {
            writer.key("variables")
            writer.raw(variables)
        }
        writer.endObject()
        return try await self.call("POST", "/v2/signals/broadcast", body: writer.bytes).value.wireKey("signalKey")
    }

    /// Starts activities of an ad-hoc sub-process that runs.
    ///
    /// - Parameters:
    ///   - subProcess: The element instance of the sub-process.
    ///   - activities: The ids of the activities in the document.
    ///   - cancelsRunning: Whether what runs inside is ended first.
    public func activateAdHoc(_ subProcess: Key, activities: [String], cancelsRunning: Bool = false) async throws {
        var writer = JSONWriter(capacity: 128)
        writer.beginObject()
        writer.key("elements")
        writer.beginArray()
        for activity in activities {
            writer.beginObject()
            writer.key("elementId")
            writer.value(activity)
            writer.endObject()
        }
        writer.endArray()
        writer.key("cancelRemainingInstances")
        writer.value(cancelsRunning)
        writer.endObject()
        _ = try await self.call(
            "POST", "/v2/element-instances/ad-hoc-activities/\(subProcess)/activation", body: writer.bytes)
    }

    /// Sets variables in the scope of an instance or element instance.
    public func setVariables(_ variables: [UInt8], scope: Key, local: Bool = false) async throws {
        var writer = JSONWriter(capacity: 64 + variables.count)
        writer.beginObject()
        writer.key("variables")
        writer.raw(variables)
        writer.key("local")
        writer.value(local)
        writer.endObject()
        _ = try await self.call("PUT", "/v2/element-instances/\(scope)/variables", body: writer.bytes)
    }
}
