import ConnectorKit
import ScriptConnector
import Testing
import Values

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite("Confining programs")
struct ScriptSandboxTests {
    /// Every way of confinement, by its parameters.
    static let ways: [ValueContext] = [
        ["sandbox": "required"], ["sandbox": "none"], ["sandbox": "preferred", "bubblewrap": "/nonexistent/bwrap"],
    ]

    @Test(arguments: Self.ways)
    func nothingOfTheEnvironmentIsInherited(_ way: ValueContext) async throws {
        setenv("JUNCTION_SCRIPT_CANARY", "canary", 1)
        let outcome = try await Script.run("env", ["output": "text", "environment": ["OWN": "1"]], way) {
            $0.idempotencyKey = "key-1"
            $0.traceparent = "00-1-2-01"
        }
        var names = Set(
            (outcome.value?["output"]?.asString ?? "").split(separator: "\n").compactMap {
                $0.split(separator: "=").first.map(String.init)
            })
        names.subtract(["PWD", "OLDPWD", "SHLVL", "_"])
        #expect(names == ["PATH", "HOME", "LANG", "OWN", "JUNCTION_IDEMPOTENCY_KEY", "TRACEPARENT"])
    }

    @Test(arguments: Self.ways)
    func secretsReachTheProgramAndNobodyElse(_ way: ValueContext) async throws {
        let secrets = FixedSecrets([SecretReference(store: "env", name: "KEY"): Secret("hunter2-canary")])
        let connection = try await Script.open(
            [
                "shows": Script.shell(
                    "test \"$KEY\" = hunter2-canary && echo 1; echo \"$KEY\" >&2; exit ${CODE:-0}",
                    ["environment": ["KEY": ["secret": "env:KEY"]]]),
                "fails": Script.shell("echo \"$KEY\" >&2; exit 70", ["environment": ["KEY": ["secret": "env:KEY"]]]),
                "lacks": Script.shell("true", ["environment": ["KEY": ["secret": "env:OTHER"]]]),
            ], way, secrets: secrets)
        let shown = await connection.invoke(OperationCall(operation: "run", input: ["program": "shows"]))
        #expect(shown.value?["output"] == 1)
        #expect(shown.value?["stderr"] == "<secret>\n")
        let failed = await connection.invoke(OperationCall(operation: "run", input: ["program": "fails"]))
        let error = try #require(failed.error)
        #expect(!"\(error) \(error.details)".contains("hunter2"))
        let lacking = await connection.invoke(OperationCall(operation: "run", input: ["program": "lacks"]))
        #expect(lacking.error?.kind == .auth)
        await connection.close()
    }

    @Test(arguments: Self.ways)
    func thereIsNoNetworkUnlessDeclared(_ way: ValueContext) async throws {
        let listener = try Listener()
        defer { listener.close() }
        let connect: Value = [
            "command": ["/bin/bash", "-c", .string("exec 3<>/dev/tcp/127.0.0.1/\(listener.port) && echo 1")]
        ]
        var open = connect.asContext ?? [:]
        open["network"] = "host"
        let connection = try await Script.open(["cut": connect, "open": .context(open)], way)
        try await connection.test()
        let reached = await connection.invoke(OperationCall(operation: "run", input: ["program": "open"]))
        #expect(reached.value?["output"] == 1)
        let cut = await connection.invoke(OperationCall(operation: "run", input: ["program": "cut"]))
        #expect(cut.error?.code == "CON-3301", "\(cut)")
        await connection.close()
    }

    @Test func theRootIsReadOnlyAndHoldsNoDataOfOthers() async throws {
        try await Script.withDirectory { directory in
            Script.write("\(directory)/note", "old")
            let attempts = ["/usr/canary", "/etc/canary", "/canary", "\(directory)/note"]
            for path in attempts {
                let outcome = try await Script.run(
                    "echo new > \(path)", ["directory": .string(directory)], ["sandbox": "required"])
                #expect(outcome.error?.kind == .unknown, "\(path)")
            }
            let read = try await Script.run(
                "cat note", ["directory": .string(directory), "output": "text"], ["sandbox": "required"])
            #expect(read.value?["output"] == "old")
            let hidden = try await Script.run(
                "ls /root /home \(directory) /proc/\(getpid())", ["output": "text"], ["sandbox": "required"])
            #expect(hidden.error != nil)
            let writable = try await Script.run(
                "echo new > \(directory)/note; cd /tmp; echo 1 > mine; cat mine",
                ["writable": [.string(directory)]], ["sandbox": "required"])
            #expect(writable.value?["output"] == 1, "\(writable)")
            #expect(!Script.exists("/tmp" + "/mine"))
        }
    }

    @Test func aProgramOutsideTheSystemFoldersIsShown() async throws {
        try await Script.withDirectory { directory in
            Script.write("\(directory)/program", "#!/bin/sh\necho 5\n", mode: 0o755)
            let connection = try await Script.open(
                ["own": ["command": .string("\(directory)/program")]], ["sandbox": "required"])
            try await connection.test()
            let outcome = await connection.invoke(OperationCall(operation: "run", input: ["program": "own"]))
            #expect(outcome.value?["output"] == 5, "\(outcome)")
            await connection.close()
        }
    }

    @Test(arguments: Self.ways)
    func limitsAreEnforced(_ way: ValueContext) async throws {
        let shown = try await Script.run(
            "ulimit -t; ulimit -v; ulimit -n; ulimit -c",
            ["output": "ndjson", "limits": ["cpu": "7s", "memory": "512MiB", "openFiles": 33]], way)
        #expect(shown.value?["output"] == [7, 524_288, 33, 0], "\(shown)")
        let large = try await Script.run(
            "cd /tmp; head -c 100000 /dev/zero > junction-script-large; code=$?; rm -f junction-script-large; exit $code",
            ["limits": ["fileSize": "1KiB"]], way)
        #expect(large.error != nil)
    }

    @Test func processorTimeIsLimited() async throws {
        let busy = try await Script.run("while :; do :; done", ["limits": ["cpu": "1s"]])
        #expect(busy.error?.code == "CON-3307", "\(busy)")
        #expect(busy.error?.kind == .unknown)
        #expect(busy.error?.details["signal"] == 9 || busy.error?.details["signal"] == 24)
    }

    @Test func aRequiredSandboxThatIsNotThereRefusesTheConnection() async {
        do {
            _ = try await Script.open(
                ["p": Script.shell("true")], ["sandbox": "required", "bubblewrap": "/nonexistent/bwrap"])
            Issue.record("accepted")
        } catch {
            let error = ConnectorError(wrapping: error)
            #expect(error.code == "CON-3303")
            #expect(error.kind == .unsupported)
            #expect(error.message.contains("/nonexistent/bwrap"))
        }
    }

    @Test func aSandboxThatDoesNotWorkIsReported() async throws {
        try await Script.withDirectory { directory in
            Script.write("\(directory)/program", "#!/bin/sh\necho 'bwrap: No permissions' >&2\nexit 1\n", mode: 0o755)
            let connection = try await Script.open(
                ["p": Script.shell("echo 1")], ["bubblewrap": .string("\(directory)/program")])
            let listing = await connection.invoke(OperationCall(operation: "programs", input: [:])).value
            #expect(listing?["sandbox"] == "none")
            #expect(listing?["reason"]?.asString?.contains("No permissions") == true)
            #expect(listing?["programs"]?.asList?.first?["name"] == "p")
            let outcome = await connection.invoke(OperationCall(operation: "run", input: ["program": "p"]))
            #expect(outcome.value?["output"] == 1)
            #expect(outcome.facts["sandbox"] == "none")
            await connection.close()
        }
    }

    @Test func theSandboxInForceIsListed() async throws {
        let connection = try await Script.open(["p": Script.shell("true")], ["sandbox": "required"])
        let listing = await connection.invoke(OperationCall(operation: "programs", input: [:])).value
        #expect(listing?["sandbox"] == "bubblewrap")
        #expect(listing?["programs"]?.asList?.first?["network"] == "none")
        await connection.close()
    }
}

/// A socket that listens on the loopback interface.
private struct Listener {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.descriptor
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, address, &size) == 0
            }
        }
        guard code else { throw Script.Failure(message: "Cannot listen: \(errno).") }
        self.port = UInt16(bigEndian: address.sin_port)
    }

    func close() { _ = Glibc.close(self.descriptor) }
}
