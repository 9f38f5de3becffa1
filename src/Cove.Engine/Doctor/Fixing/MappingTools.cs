namespace Cove.Engine.Doctor.Fixing;

/// <summary>newuidmap and newgidmap, which let an ordinary user use its subordinate ids.</summary>
internal static class MappingTools
{
    public static async Task<bool> InstallAsync(Host host, Action<string> say, CancellationToken cancellationToken)
    {
        if (host.Exists("/usr/bin/newuidmap") && host.Exists("/usr/bin/newgidmap"))
        {
            say("newuidmap and newgidmap are there");
            return true;
        }

        var said = await Host.RunAsync("apt-get", ["install", "-y", "--no-install-recommends", "uidmap"], cancellationToken);
        say(said switch
        {
            { ExitCode: 0 } => "installed uidmap",
            null => "newuidmap is missing and this is no Debian: install the package that has it (shadow-utils, shadow)",
            _ => $"apt-get install uidmap failed: {said.Error}",
        });
        return said is { ExitCode: 0 };
    }
}
