using System.Runtime.InteropServices;

namespace Cove.Engine.Doctor;

/// <summary>The kernel's version and the machine.</summary>
internal static class KernelProbe
{
    private static readonly Version _minimum = new(6, 1);

    public static IEnumerable<Finding> Look(Host host, Architecture machine)
    {
        var release = host.Read("/proc/sys/kernel/osrelease") ?? "unknown";
        var old = Parse(release) is { } version && version < _minimum;
        yield return new Finding
        {
            Area = "kernel", Name = "version", Found = release, State = old ? FindingState.Missing : FindingState.Ok,
            Lost = old ? $"the protections are tested from kernel {_minimum} on" : null,
            Fix = old ? host.AsRoot("apt-get install linux-image-amd64") : null,
        };
        var other = machine != Architecture.X64;
        yield return new Finding
        {
            Area = "kernel", Name = "machine", Found = other ? machine.ToString().ToLowerInvariant() : "x86_64", State = other ? FindingState.Missing : FindingState.Ok,
            Lost = other ? "the namespaces backend knows the system calls of x86_64 only" : null,
        };
        yield return new Finding
        {
            Area = "kernel", Name = "kvm", State = FindingState.Information,
            Found = host.Exists("/dev/kvm") ? "/dev/kvm is there; no backend uses it yet" : "no /dev/kvm; no backend needs it yet",
        };
    }

    /// <summary>The first two numbers of a release such as <c>6.1.0-25-amd64</c>; null when it does not begin with two.</summary>
    internal static Version? Parse(string release)
    {
        var parts = release.Split('.', '-', '+');
        return parts.Length >= 2 && int.TryParse(parts[0], out var major) && int.TryParse(parts[1], out var minor) ? new Version(major, minor) : null;
    }
}
