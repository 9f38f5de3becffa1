namespace Cove.Engine.Doctor.Fixing;

/// <summary>The whole of <c>cove doctor --fix</c>: prepares the host for one ordinary user. Doing it again changes nothing.</summary>
internal static class Preparation
{
    /// <summary>True when everything is in place. <paramref name="caller"/>: a process of the user that called, if one did.</summary>
    public static async Task<bool> RunAsync(DoctorOptions options, PreparedUser user, int? caller, Action<string> say, CancellationToken cancellationToken)
    {
        var host = new Host(options);
        var tools = await MappingTools.InstallAsync(host, say, cancellationToken);
        var ids = await SubordinateIds.GiveAsync(host, user, say, cancellationToken);
        var trials = await Trials.RunAsync(options, [], cancellationToken);
        return tools && ids && Delegate(trials?.Cgroup, user, caller, say);
    }

    private static bool Delegate(GroupTrials? groups, PreparedUser user, int? caller, Action<string> say)
    {
        if (groups is null)
        {
            say("/usr/bin/python3 did not answer, so the control groups are not known: apt-get install python3");
            return false;
        }

        var delegation = new GroupDelegation(user, say);
        try
        {
            if (groups.Version == 2)
            {
                delegation.DelegateV2(groups.Mounts[""], caller);
            }
            else
            {
                delegation.DelegateV1(groups.Mounts);
            }

            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            say($"the control groups could not be prepared: {error.Message}");
            return false;
        }
    }
}
