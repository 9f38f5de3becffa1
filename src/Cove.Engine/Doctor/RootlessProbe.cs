namespace Cove.Engine.Doctor;

/// <summary>What an ordinary user's engine needs for a host id per sandbox, and what building templates needs.</summary>
internal static class RootlessProbe
{
    public static IEnumerable<Finding> Look(Host host)
    {
        var tools = host.Exists("/usr/bin/newuidmap") && host.Exists("/usr/bin/newgidmap");
        yield return new Finding
        {
            Area = "rootless", Name = "newuidmap", State = tools ? FindingState.Ok : FindingState.Optional,
            Found = tools ? "/usr/bin/newuidmap and newgidmap" : "newuidmap or newgidmap is not there",
            Lost = tools ? null : "an ordinary user's sandboxes share one host id",
            Fix = tools ? null : host.AsRoot("apt-get install uidmap"),
        };
        foreach (var file in (string[])["subuid", "subgid"])
        {
            var range = SubordinateRange.Of(host.Read("/etc/" + file), host.Options.UserName);
            var needed = !host.Options.IsRoot;
            yield return new Finding
            {
                Area = "rootless", Name = file, State = range is not null ? FindingState.Ok : needed ? FindingState.Optional : FindingState.Information,
                Found = range is { } r ? $"{r.First} and {r.Count - 1:N0} more" : needed ? $"no range for {host.Options.UserName}" : "no range for root; root needs none",
                Lost = range is null && needed ? "an ordinary user's sandboxes share one host id" : null,
                Fix = range is null && needed ? "sudo ./cove doctor --fix" : null,
            };
        }

        var builder = host.Exists("/usr/bin/mmdebstrap");
        yield return new Finding
        {
            Area = "templates", Name = "mmdebstrap", State = builder ? FindingState.Ok : FindingState.Optional,
            Found = builder ? "/usr/bin/mmdebstrap" : "/usr/bin/mmdebstrap is not there",
            Lost = builder ? null : "cove template build (templates with Debian packages of their own)",
            Fix = builder ? null : host.AsRoot("apt-get install mmdebstrap"),
        };
    }
}
