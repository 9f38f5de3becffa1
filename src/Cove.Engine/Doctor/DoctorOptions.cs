using Cove.Engine.Isolation.Namespaces;

namespace Cove.Engine.Doctor;

/// <summary>What an examination is made with.</summary>
internal sealed record DoctorOptions
{
    /// <summary>As the engine would start its backend.</summary>
    public required NamespacesOptions Backend { get; init; }

    /// <summary>Whether this process is root; fixes are then shown without <c>sudo</c>.</summary>
    public required bool IsRoot { get; init; }

    /// <summary>The user's name, as the subordinate id files have it.</summary>
    public required string UserName { get; init; }

    /// <summary>Where the host's files are read from. Default: the host's root; another in tests.</summary>
    public string Root { get; init; } = "/";
}
