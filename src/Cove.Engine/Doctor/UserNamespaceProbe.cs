namespace Cove.Engine.Doctor;

/// <summary>Whether user namespaces can be made, and what forbids it.</summary>
internal static class UserNamespaceProbe
{
    public static IEnumerable<Finding> Look(Host host, Trials trials)
    {
        yield return Setting(host, "max_user_namespaces", "/proc/sys/user/max_user_namespaces", "user.max_user_namespaces", value => value != "0", "63000", forRootToo: true);
        yield return Setting(host, "unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone", value => value != "0", "1", forRootToo: false);
        yield return Setting(
            host, "apparmor_restrict_unprivileged_userns", "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "kernel.apparmor_restrict_unprivileged_userns", value => value == "0", "0", forRootToo: false);
        var works = trials.UserNamespaceError is null;
        yield return new Finding
        {
            Area = "namespaces", Name = "tried", State = works ? FindingState.Ok : FindingState.Missing,
            Found = works ? "a user namespace was made and used" : trials.UserNamespaceError!,
            Lost = works ? null : "no sandbox can be drawn; inside a container its runtime has to allow it (unshare and mount in its seccomp profile)",
        };
    }

    private static Finding Setting(Host host, string name, string path, string setting, Func<string, bool> allows, string value, bool forRootToo)
    {
        var found = host.Read(path);
        var stops = found is not null && !allows(found) && (forRootToo || !host.Options.IsRoot);
        return new Finding
        {
            Area = "namespaces", Name = name, Found = found ?? "not known to this kernel: no restriction", State = stops ? FindingState.Missing : FindingState.Ok,
            Lost = stops ? "no sandbox can be drawn" : null,
            Fix = stops ? host.AsRoot($"sysctl -w {setting}={value}") : null,
        };
    }
}
