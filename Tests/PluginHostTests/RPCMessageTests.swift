import Testing
import Values

@testable import PluginHost

@Suite struct RPCMessageTests {
    @Test(arguments: [
        RPCMessage.request(id: 1, method: "a", params: ["b": 1]),
        .request(id: "x", method: "a", params: [:]),
        .notification(method: "n", params: [1, 2]),
        .response(id: 7, .success(.null)),
        .response(id: 7, .success(["a": ["b": true]])),
        .response(id: "s", .failure(RPCError(code: -5, message: "m", data: ["d": 1]))),
    ])
    func isReadAsItWasWritten(_ message: RPCMessage) throws {
        let frame = message.frame
        #expect(frame.last == UInt8(ascii: "\n"))
        #expect(!frame.dropLast().contains(UInt8(ascii: "\n")))
        #expect(try RPCMessage(frame[...]) == message)
    }

    @Test(arguments: [
        ("", "JSON"), ("{", "JSON"), ("[]", "no object"), ("3", "no object"), ("{}", "2.0"),
        (#"{"jsonrpc":"1.0","id":1,"result":1}"#, "2.0"), (#"{"jsonrpc":"2.0"}"#, "neither"),
        (#"{"jsonrpc":"2.0","method":3}"#, "method"), (#"{"jsonrpc":"2.0","id":[1],"result":1}"#, "id"),
        (#"{"jsonrpc":"2.0","id":true,"method":"a"}"#, "id"),
    ])
    func whatIsNoMessageIsRefused(_ row: (text: String, reason: String)) {
        let violation = #expect(throws: RPCViolation.self) { try RPCMessage(Array(row.text.utf8)[...]) }
        #expect(violation?.reason.contains(row.reason) == true, "\(String(describing: violation))")
    }

    @Test func depthIsBounded() {
        let text = #"{"jsonrpc":"2.0","id":1,"result":"# + String(repeating: "[", count: 100_000)
        #expect(throws: RPCViolation.self) { try RPCMessage(Array(text.utf8)[...]) }
    }

    @Test func anErrorWithoutItsPartsStillIsOne() throws {
        let message = try RPCMessage(Array(#"{"jsonrpc":"2.0","id":1,"error":"oops"}"#.utf8)[...])
        guard case .response(_, .failure(let error)) = message else { throw RPCViolation(reason: "no error") }
        #expect(error.code == RPCError.internalError)
    }
}
