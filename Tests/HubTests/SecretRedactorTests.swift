import Foundation
import Testing
import Values

@testable import Hub

/// Secrets in what came from elsewhere, in the shapes a remote may give them back in.
@Suite struct SecretRedactorTests {
    private static let secret = "p/ss+w \"rd\"&é"

    private static func redactor(_ secrets: String...) -> SecretRedactor {
        var redactor = SecretRedactor()
        for secret in secrets { redactor.add(secret) }
        return redactor
    }

    @Test(arguments: [
        "p/ss+w \"rd\"&é", "p%2Fss%2Bw%20%22rd%22%26%C3%A9", "p%2Fss%2Bw+%22rd%22%26%C3%A9", "p/ss+w \\\"rd\\\"&é",
    ])
    func everyShapeIsFound(shape: String) {
        #expect(Self.redactor(Self.secret).redacted("before \(shape) behind") == "before <secret> behind")
    }

    /// What stands before it decides which base64 a secret becomes; what is left tells less than two of its bytes.
    @Test(arguments: ["", "u:", "user:", "me:", "someone:"], ["", "\n", "=="])
    func aSecretInsideBase64IsFound(before: String, behind: String) {
        let encoded = Data("\(before)\(Self.secret)\(behind)".utf8).base64EncodedString()
        for text in [encoded, encoded.replacing("+", with: "-").replacing("/", with: "_")] {
            let redacted = Self.redactor(Self.secret).redacted("Basic \(text)")
            #expect(redacted.contains("<secret>"))
            let alone = Data(Self.secret.utf8).base64EncodedString()
            #expect(redacted.count <= "Basic <secret>".count + encoded.count - alone.count + 6)
        }
    }

    /// A connector shows so many characters of what a remote says, and no more.
    @Test func theBeginningOfASecretIsFoundInAMessageButNotInAValue() {
        let redactor = Self.redactor("0123456789abcdef")
        #expect(redactor.redacted("token 0123456789. Ask") == "token <secret>. Ask")
        #expect(redactor.redacted("token 0123456. Ask") == "token 0123456. Ask")
        #expect(redactor.redacted("a 0123456789abcdef") == "a <secret>")
        #expect(redactor.redacted(["token 0123456789", "0123456789abcdef"]) == ["token 0123456789", "<secret>"])
    }

    @Test func ofASecretInsideAnotherNothingIsLeft() {
        #expect(Self.redactor("secret", "my secret word").redacted("my secret word, secret") == "<secret>, <secret>")
    }

    @Test func textsWithoutSecretsStayAsTheyAre() {
        let text = "Bearer cGFzcw== and p/ss+w"
        #expect(Self.redactor(Self.secret).redacted(text) == text)
    }
}
