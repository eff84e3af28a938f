import Values

/// The first version of a specification, for its author to go on from.
public enum SpecScaffold {
    /// A specification with one operation and a test that passes.
    public static func text(id: String, title: String? = nil) -> String {
        let title = title ?? id
        return """
            apiVersion: hub/v1
            kind: Connector
            metadata:
              id: \(id)
              version: 1
              title: \(JSON.string(.string(title)))
              summary: \(JSON.string(.string("Calls \(title).")))
              support: experimental
            connection:
              parameters:
                type: object
                required: [credential]
                properties:
                  credential: { x-credential: [\(id).token] }
              auth:
                - id: \(id).token
                  type: bearer
                  token: "=credential.token"
              baseUrl: https://api.example.com/v1
              egress: { allowHosts: [api.example.com] }
              test: { operation: items.get, input: { id: "1" } }
            defaults:
              timeout: { attempt: 20s, total: 90s }
              errors:                       # first match wins; without one the status decides
                - { status: 404, as: notFound, message: "=response.body.message" }
            operations:
              items.get:
                title: Get item
                effect: read                # read, create, update, delete or other
                input:
                  type: object
                  required: [id]
                  properties:
                    id: { type: string, minLength: 1 }
                request: { method: GET, path: "/items/{input.id}" }
                response: { output: "=response.body" }
            tests:
              - name: an item is read
                operation: items.get
                input: { id: a/b }
                expectRequest: { method: GET, path: /v1/items/a%2Fb, headers: { Authorization: Bearer test-token } }
                respond: { json: { id: a/b } }
                expect: { output: { id: a/b } }
              - name: an item that does not exist
                operation: items.get
                input: { id: "2" }
                respond: { status: 404, json: { message: No such item } }
                expect: { error: { kind: notFound, message: No such item } }

            """
    }
}
