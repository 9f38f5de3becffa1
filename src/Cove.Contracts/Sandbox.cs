using System.Text.Json.Serialization;

namespace Cove;

/// <summary>Asks for a sandbox.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SandboxRequest
{
    private const string DefaultTemplate = "python-data";

    /// <summary>The template to start from. Default <c>python-data</c>.</summary>
    public string Template
    {
        get;

        // A deserializer that builds this record through its initializer passes null for what the text leaves out.
        init => field = value ?? DefaultTemplate;
    } = DefaultTemplate;

    /// <summary>Limits that differ from the template's.</summary>
    public SandboxLimitsRequest? Limits { get; init; }

    /// <summary>Environment variables added to the template's. At most 1,000, 256 KiB in all; names match <c>[A-Za-z_][A-Za-z0-9_]*</c>.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>The caller's own labels, returned as given. At most 64, 16 KiB in all.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>The sandbox ends after this long without a run or a file call. Default 10 minutes; 1 s to 24 h.</summary>
    [JsonPropertyName("idle_timeout_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>The sandbox ends this long after its creation, whatever it does. Default 1 hour; 1 s to 30 days.</summary>
    [JsonPropertyName("max_lifetime_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? MaxLifetime { get; init; }

    /// <summary>The network it has. Default and today's only choice: none but loopback.</summary>
    public NetworkPolicy Network { get; init; }

    /// <summary>How long to wait for a free place when the host is busy, before the clear error <c>create_deadline</c>. Default 30 s; 0 to 10 minutes.</summary>
    [JsonPropertyName("create_timeout_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? CreateTimeout { get; init; }

    /// <summary>For whom it is asked, among those who share an engine: whose journals give way first is judged by it. Null: nobody in particular.</summary>
    internal string? Owner { get; init; }
}

/// <summary>Where a sandbox is in its life.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<SandboxState>))]
public enum SandboxState
{
    /// <summary>Being made; not yet answering.</summary>
    Creating,

    /// <summary>Answering runs and file calls.</summary>
    Ready,

    /// <summary>Being taken down; nothing new is accepted.</summary>
    Ending,

    /// <summary>Gone; <see cref="SandboxInfo.EndReason"/> says why.</summary>
    Ended,
}

/// <summary>Why a sandbox ended.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<SandboxEndReason>))]
public enum SandboxEndReason
{
    /// <summary>It was deleted by its owner.</summary>
    Deleted,

    /// <summary>Nothing was asked of it for its idle timeout.</summary>
    IdleTimeout,

    /// <summary>Its maximum lifetime passed.</summary>
    MaxLifetime,

    /// <summary>Its processes died by their own doing, or by the memory limit's.</summary>
    Died,

    /// <summary>The engine stopped.</summary>
    EngineStopped,

    /// <summary>The engine or the host failed; not the guest's doing.</summary>
    InfrastructureFailure,

    /// <summary>The engine died or was killed; what was alive then is gone.</summary>
    EngineLost,
}

/// <summary>What is known of a sandbox.</summary>
public sealed record SandboxInfo
{
    /// <summary>Its id.</summary>
    public required SandboxId Id { get; init; }

    /// <summary>The template it started from.</summary>
    public required string Template { get; init; }

    /// <summary>Where it is in its life.</summary>
    public required SandboxState State { get; init; }

    /// <summary>Why it ended, once it has.</summary>
    public SandboxEndReason? EndReason { get; init; }

    /// <summary>The limits in force.</summary>
    public required SandboxLimits Limits { get; init; }

    /// <summary>The isolation actually achieved.</summary>
    public required IsolationTier Isolation { get; init; }

    /// <summary>The network it has.</summary>
    public NetworkPolicy Network { get; init; }

    /// <summary>The caller's labels.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its maximum lifetime ends.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Its idle timeout.</summary>
    [JsonPropertyName("idle_timeout_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public required TimeSpan IdleTimeout { get; init; }
}

/// <summary>The boundary a sandbox runs behind, as achieved on this host.</summary>
public sealed record IsolationTier
{
    /// <summary>The backend that drew it, for example <c>namespaces</c>.</summary>
    public required string Backend { get; init; }

    /// <summary>How the engine runs: <c>root</c>, <c>delegated</c> (ordinary user with a cgroup and subordinate ids) or <c>bare</c> (ordinary user, nothing prepared).</summary>
    public required string Privilege { get; init; }

    /// <summary>The protections that are missing because the operator allowed it by name, for example <c>memory</c>, <c>cpu</c>. Empty when nothing is.</summary>
    public required IReadOnlyList<string> Degraded { get; init; }
}

/// <summary>A snapshot of what a sandbox uses.</summary>
public sealed record SandboxUsage
{
    /// <summary>Memory in use, bytes; null where the host offers no accounting.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>The most memory ever in use, bytes; null where the host offers no accounting.</summary>
    public long? PeakMemoryBytes { get; init; }

    /// <summary>Processor time used so far; null where the host offers no accounting.</summary>
    [JsonPropertyName("cpu_time_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? CpuTime { get; init; }

    /// <summary>Processes and threads; null where the host offers no accounting.</summary>
    public int? Pids { get; init; }

    /// <summary>Bytes used by files.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Files and directories.</summary>
    public long Inodes { get; init; }
}
