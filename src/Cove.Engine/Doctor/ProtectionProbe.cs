namespace Cove.Engine.Doctor;

/// <summary>seccomp, Landlock and swap.</summary>
internal static class ProtectionProbe
{
    public static IEnumerable<Finding> Look(Host host, Trials trials)
    {
        var actions = host.Read("/proc/sys/kernel/seccomp/actions_avail");
        var filters = actions?.Split(' ').Contains("errno") ?? false;
        yield return new Finding
        {
            Area = "protection", Name = "seccomp", Found = actions ?? "not in this kernel", State = filters ? FindingState.Ok : FindingState.Missing,
            Lost = filters ? null : "the system call filter, without which no sandbox is started",
        };
        var abi = trials.LandlockAbi;
        yield return new Finding
        {
            Area = "protection", Name = "landlock", State = abi > 0 ? FindingState.Ok : FindingState.Missing,
            Found = abi > 0 ? $"ABI {abi}" : "missing or off",
            Lost = abi > 0 ? null : "the second line behind the read-only mounts",
            // The order of lsm= on the kernel's command line is the host's own; one command cannot know it.
            Fix = null,
        };
        var swap = host.Read("/proc/swaps")?.Split('\n').Length > 1;
        var swapLimit = trials.Cgroup.Version == 2 || (trials.Cgroup.Places.GetValueOrDefault("memory") is { } place && host.Exists(place.Directory + "/memory.memsw.limit_in_bytes"));
        yield return new Finding
        {
            Area = "protection", Name = "swap", State = swap && !swapLimit ? FindingState.Optional : FindingState.Ok,
            Found = swap ? swapLimit ? "on, and counted against a sandbox's memory" : "on, and not counted against a sandbox's memory" : "off",
            Lost = swap && !swapLimit ? "a sandbox may push the host into swapping beyond its memory limit" : null,
            Fix = swap && !swapLimit ? host.AsRoot("swapoff -a") : null,
        };
    }
}
