namespace Cove.Engine.Templates.Building;

/// <summary>What a build has to know of the host.</summary>
internal static class HostRelease
{
    /// <summary>The release whose packages fit this host's apt sources, such as <c>bookworm</c>, from the text of /etc/os-release.</summary>
    public static string Codename(string osRelease)
    {
        const string Field = "VERSION_CODENAME=";
        var line = osRelease.Split('\n').FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal));
        var name = line?[Field.Length..].Trim().Trim('"');
        return name is { Length: > 0 } && name.All(char.IsAsciiLetterOrDigit)
            ? name
            : throw TemplateBuilder.Failed("/etc/os-release has no usable VERSION_CODENAME", "Roots are built from the host's own Debian release; this host seems to be no Debian.");
    }

    /// <summary>A mount point at or beneath a directory, from the text of /proc/self/mountinfo; null when there is none.</summary>
    public static string? MountBeneath(string directory, string mountInfo) => mountInfo.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split(' ')[4].Replace("\\040", " "))
        .FirstOrDefault(point => point == directory || point.StartsWith(directory + "/", StringComparison.Ordinal));
}
