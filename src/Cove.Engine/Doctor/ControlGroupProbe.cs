namespace Cove.Engine.Doctor;

/// <summary>Which control groups there are, and which of them this user may make groups in.</summary>
internal static class ControlGroupProbe
{
    private static readonly (string Controller, string Lost)[] _wanted =
    [
        ("memory", "a limit on a sandbox's whole memory, and its figure"),
        ("cpu", "a limit on a sandbox's processor time"),
        ("pids", "counting and killing whole process trees; the number of processes stays limited by RLIMIT_NPROC"),
    ];

    public static IEnumerable<Finding> Look(Host host, Trials trials)
    {
        var groups = trials.Cgroup;
        var hasV1 = groups.Mounts.Keys.Any(c => _wanted.Any(w => w.Controller == c));
        var hasV2 = groups.Mounts.ContainsKey("");
        yield return new Finding
        {
            Area = "cgroup", Name = "version", State = hasV1 || hasV2 ? FindingState.Ok : FindingState.Missing,
            Found = (hasV1, hasV2) switch
            {
                (true, true) => $"hybrid: v1 and v2; version {groups.Version} is used",
                (true, false) => "v1",
                (false, true) => "v2",
                _ => "none is mounted",
            },
        };
        foreach (var (controller, lost) in _wanted)
        {
            var place = groups.Places.GetValueOrDefault(controller);
            var usable = place is { Usable: true };
            yield return new Finding
            {
                Area = "cgroup", Name = controller, State = usable ? FindingState.Ok : controller == "pids" ? FindingState.Optional : FindingState.Missing,
                Found = place is null ? "the controller is not there" : usable ? $"groups can be made in {place.Directory}" : $"this user may not make groups in {place.Directory}",
                Lost = usable ? null : lost,
                Fix = usable || place is null ? null : host.Options.IsRoot ? null : "sudo ./cove doctor --fix",
            };
        }
    }
}
