namespace Cove.Engine.Doctor;

/// <summary>The interpreters and the libraries that templates preload or describe.</summary>
internal static class InterpreterProbe
{
    /// <summary>Importable name to the Debian package that has it.</summary>
    public static IReadOnlyDictionary<string, string> Libraries { get; } = new Dictionary<string, string>
    {
        ["numpy"] = "python3-numpy", ["pandas"] = "python3-pandas", ["matplotlib"] = "python3-matplotlib", ["scipy"] = "python3-scipy",
        ["openpyxl"] = "python3-openpyxl", ["PIL"] = "python3-pil", ["requests"] = "python3-requests", ["yaml"] = "python3-yaml",
        ["pytest"] = "python3-pytest",
    };

    private static readonly HashSet<string> _preloaded = ["numpy", "pandas", "matplotlib"];

    public static Finding NoPython(Host host) => new()
    {
        Area = "python", Name = "interpreter", State = FindingState.Missing, Found = "/usr/bin/python3 did not answer",
        Lost = "everything: sandboxes are drawn by the distribution's Python", Fix = host.AsRoot("apt-get install python3"),
    };

    public static IEnumerable<Finding> Look(Host host, Trials trials)
    {
        yield return new Finding { Area = "python", Name = "interpreter", State = FindingState.Ok, Found = $"/usr/bin/python3 {trials.Python}" };
        foreach (var (name, package) in Libraries)
        {
            var version = trials.Libraries.GetValueOrDefault(name);
            yield return new Finding
            {
                Area = "python", Name = name, Found = version ?? "not importable", State = version is null ? FindingState.Optional : FindingState.Ok,
                Lost = version is not null ? null : _preloaded.Contains(name) ? "the template python-data, which preloads it" : $"{name} in sandboxes of python-data",
                Fix = version is null ? host.AsRoot($"apt-get install {package}") : null,
            };
        }
    }

    public static async Task<Finding> LookForNodeAsync(Host host, CancellationToken cancellationToken)
    {
        var version = await Host.RunAsync("/usr/bin/node", ["--version"], cancellationToken) is { ExitCode: 0 } said ? said.Output : null;
        var old = version is not null && int.TryParse(version.TrimStart('v').Split('.')[0], out var major) && major < 18;
        return new Finding
        {
            Area = "javascript", Name = "node", State = version is null || old ? FindingState.Optional : FindingState.Ok,
            Found = version is null ? "/usr/bin/node is not there" : $"/usr/bin/node {version}",
            Lost = version is null ? "JavaScript in sandboxes" : old ? "JavaScript is tested with Node 18 and 20" : null,
            Fix = version is null || old ? host.AsRoot("apt-get install nodejs") : null,
        };
    }
}
