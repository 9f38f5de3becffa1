namespace Cove.Engine.Doctor.Fixing;

/// <summary>Gives an ordinary user host ids to hand to sandboxes, one each.</summary>
internal static class SubordinateIds
{
    /// <summary>The arguments of usermod; empty when the user has what is needed.</summary>
    internal static IReadOnlyList<string> Arguments(string? subuid, string? subgid, string user)
    {
        var free = SubordinateRange.Free(subuid, subgid);
        var range = $"{free.First}-{free.First + free.Count - 1}";
        List<string> arguments = [];
        if (SubordinateRange.Of(subuid, user) is null)
        {
            arguments.AddRange(["--add-subuids", range]);
        }

        if (SubordinateRange.Of(subgid, user) is null)
        {
            arguments.AddRange(["--add-subgids", range]);
        }

        return arguments.Count == 0 ? [] : [.. arguments, user];
    }

    public static async Task<bool> GiveAsync(Host host, PreparedUser user, Action<string> say, CancellationToken cancellationToken)
    {
        var arguments = Arguments(host.Read("/etc/subuid"), host.Read("/etc/subgid"), user.Name);
        if (arguments.Count == 0)
        {
            say($"{user.Name} has subordinate ids");
            return true;
        }

        var said = await Host.RunAsync("usermod", arguments, cancellationToken);
        say(said is { ExitCode: 0 }
            ? $"gave {user.Name} subordinate ids: usermod {string.Join(' ', arguments)}"
            : $"usermod {string.Join(' ', arguments)} failed: {said?.Error ?? "it is not there"}");
        return said is { ExitCode: 0 };
    }
}
