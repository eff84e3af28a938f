import Hub

extension SecretVault {
    /// The vault of a project: `secrets: { vault:, key: }` in the project file, else in the data directory.
    ///
    /// The key is the variable `JUNCTION_SECRETS_KEY`, else the file of the project, else `secrets.key` beside the vault.
    convenience init(
        project: ProjectConfiguration?, dataDirectory: String, environment: Environment = .current
    ) {
        let path = project?.vault ?? join(dataDirectory, "secrets.json")
        let variable = "JUNCTION_SECRETS_KEY"
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let key: KeySource =
            if let text = environment[variable] {
                .environment(variable, text)
            } else {
                .file(project?.vaultKey ?? join(folder, "secrets.key"))
            }
        self.init(path: path, key: key)
    }
}
