using Cove.Engine.Doctor.Fixing;

namespace Cove.Cli;

/// <summary>The accounts and processes of this host, as its files name them.</summary>
internal static class HostUsers
{
    /// <summary>The user of a name or a number.</summary>
    public static PreparedUser Find(string nameOrId)
    {
        foreach (var line in File.ReadLines("/etc/passwd"))
        {
            var parts = line.Split(':');
            if (parts.Length >= 4 && (parts[0] == nameOrId || parts[2] == nameOrId) && uint.TryParse(parts[2], out var user) && uint.TryParse(parts[3], out var group))
            {
                return user == 0
                    ? throw Errors.Usage("no_user", "Root itself needs no preparation.", "Name the user that will run Cove: cove doctor --fix --user NAME")
                    : new PreparedUser(user, group, parts[0]);
            }
        }

        throw Errors.Usage("no_user", $"/etc/passwd has no user '{nameOrId}'.", "Name one that it has: cove doctor --fix --user NAME");
    }

    /// <summary>The nearest ancestor of this process that is the user's own: the shell that called sudo. Null when there is none.</summary>
    public static int? CallingProcess(uint user)
    {
        for (var pid = Environment.ProcessId; pid > 1;)
        {
            var status = File.ReadAllLines($"/proc/{pid}/status");
            if (Field(status, "Uid:") == user)
            {
                return pid;
            }

            pid = (int)Field(status, "PPid:");
        }

        return null;
    }

    private static uint Field(string[] status, string name) =>
        uint.Parse(status.First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Split('\t', StringSplitOptions.RemoveEmptyEntries)[0]);
}
