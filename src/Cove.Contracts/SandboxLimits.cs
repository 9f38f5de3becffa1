using System.Text.Json.Serialization;

namespace Cove;

/// <summary>What a sandbox may use. Every limit is enforced, and reaching it is named in the outcome; the processor limit throttles, and is named where that held a run back substantially.</summary>
public sealed record SandboxLimits
{
    /// <summary>Memory of the whole sandbox, files in its tmpfs included. Bytes; default 1 GiB; 64 MiB to 1 TiB.</summary>
    public long MemoryBytes { get; init; } = 1L << 30;

    /// <summary>Processor time per second, in thousandths of a CPU. Default 1000 (one CPU); 10 to 1,024,000.</summary>
    public int CpuMillis { get; init; } = 1000;

    /// <summary>Processes and threads. Default 128; 8 to 32,768.</summary>
    public int Pids { get; init; } = 128;

    /// <summary>Space of <c>/workspace</c>, <c>/tmp</c>, <c>/home/user</c> and <c>/dev/shm</c> together. Bytes; default 256 MiB; 1 MiB to 1 TiB; at most half of the memory limit. A default above that shrinks to it; a value asked for is refused.</summary>
    public long DiskBytes { get; init; } = 256L << 20;

    /// <summary>Files and directories in that space. Default 65,536; 64 to 100,000,000.</summary>
    public long Inodes { get; init; } = 65_536;

    /// <summary>Open files of one process. Default 1,024; 32 to 1,048,576.</summary>
    public int OpenFiles { get; init; } = 1024;

    /// <summary>The limits every template starts from.</summary>
    public static SandboxLimits Default { get; } = new();
}

/// <summary>A change of some limits; what is null keeps the template's value.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SandboxLimitsRequest
{
    /// <inheritdoc cref="SandboxLimits.MemoryBytes"/>
    public long? MemoryBytes { get; init; }

    /// <inheritdoc cref="SandboxLimits.CpuMillis"/>
    public int? CpuMillis { get; init; }

    /// <inheritdoc cref="SandboxLimits.Pids"/>
    public int? Pids { get; init; }

    /// <inheritdoc cref="SandboxLimits.DiskBytes"/>
    public long? DiskBytes { get; init; }

    /// <inheritdoc cref="SandboxLimits.Inodes"/>
    public long? Inodes { get; init; }

    /// <inheritdoc cref="SandboxLimits.OpenFiles"/>
    public int? OpenFiles { get; init; }
}
