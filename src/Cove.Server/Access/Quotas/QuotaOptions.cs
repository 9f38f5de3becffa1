using Cove.Server.State;

namespace Cove.Server.Access.Quotas;

/// <summary>What a project may use unless the database says otherwise for it (<c>cove project set</c>).</summary>
internal sealed record QuotaOptions
{
    /// <summary>Sandboxes that have not ended. Default 200; 1 to 100,000.</summary>
    public long MaxSandboxes { get; init; } = 200;

    /// <summary>The memory limits of those sandboxes together, bytes. Default 256 GiB; 64 MiB to 1 PiB.</summary>
    public long MaxMemoryBytes { get; init; } = 256L << 30;

    /// <summary>Processor time in a day (UTC), seconds. Default 86,400: one processor all day; 1 to 1,000,000,000.</summary>
    public long CpuSecondsPerDay { get; init; } = 86_400;

    /// <summary>Requests in a minute; as many at once when none came before. Default 600,000; 1 to 100,000,000.</summary>
    public long RequestsPerMinute { get; init; } = 600_000;

    /// <summary>These, but for what the database says otherwise for a project.</summary>
    public QuotaOptions For(StoredProject project) => new()
    {
        MaxSandboxes = project.MaxSandboxes ?? MaxSandboxes,
        MaxMemoryBytes = project.MaxMemoryBytes ?? MaxMemoryBytes,
        CpuSecondsPerDay = project.CpuSecondsPerDay ?? CpuSecondsPerDay,
        RequestsPerMinute = project.RequestsPerMinute ?? RequestsPerMinute,
    };

    /// <summary>Throws the error that names what is wrong.</summary>
    public void Validate()
    {
        Check("sandboxes", MaxSandboxes, 1, 100_000);
        Check("memory", MaxMemoryBytes, 64L << 20, 1L << 50);
        Check("cpu-seconds", CpuSecondsPerDay, 1, 1_000_000_000);
        Check("requests", RequestsPerMinute, 1, 100_000_000);
    }

    private static void Check(string name, long value, long least, long most)
    {
        if (value < least || value > most)
        {
            throw AccessErrors.Invalid(name, value.ToString(), $"{least} to {most}");
        }
    }
}
