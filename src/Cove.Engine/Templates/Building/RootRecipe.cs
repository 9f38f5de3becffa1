namespace Cove.Engine.Templates.Building;

/// <summary>The arguments a root is built with. Pure: what is built follows from the template and the host's release alone.</summary>
internal static class RootRecipe
{
    // The kernel and the file worker are Python; certificates are what every HTTPS client asks for.
    private static readonly string[] _always = ["python3", "ca-certificates"];
    private static readonly string[] _left = ["doc", "man", "info", "locale", "lintian", "doc-base"];

    /// <summary>mmdebstrap's. The root comes out as a tar on its standard output, so that one way serves root and ordinary users.</summary>
    public static IReadOnlyList<string> Bootstrap(Template template, string suite, bool asRoot, IEnumerable<string> sources) =>
    [
        asRoot ? "--mode=root" : "--mode=unshare",
        "--variant=minbase",
        "--format=tar",
        "--include=" + string.Join(',', _always.Concat(template.DebianPackages).Distinct()),
        "--aptopt=APT::Install-Recommends \"false\"",
        "--aptopt=Acquire::Languages \"none\"",
        .. _left.Select(directory => $"--dpkgopt=path-exclude=/usr/share/{directory}/*"),
        "--skip=output/dev", // device nodes come from the launcher
        suite,
        "-",
        .. sources,
    ];

    /// <summary>tar's. Everything belongs to who builds: an ordinary user has no other ids to give, and cells see a read-only mount either way.</summary>
    public static IReadOnlyList<string> Unpack(string directory) =>
        ["--extract", "--file=-", "--directory=" + directory, "--no-same-owner", "--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./sys/*"];
}
