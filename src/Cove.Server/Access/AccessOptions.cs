using Cove.Server.Access.Idempotency;
using Cove.Server.Access.Quotas;
using Cove.Server.Access.Tenancy;

namespace Cove.Server.Access;

/// <summary>Who is let in, and how much each may use.</summary>
internal sealed record AccessOptions
{
    /// <summary>Whether nobody but this machine can reach the server.</summary>
    public required bool LoopbackOnly { get; init; }

    /// <summary>Where it listens, for messages.</summary>
    public required string Address { get; init; }

    /// <summary>A key that the place it runs in provides, for example out of a secret store; it is kept as a hash like every other. Default: none.</summary>
    public string? ProvidedKey { get; init; }

    /// <summary>Whether a request without any key is the project <c>default</c> with all scopes; on loopback only. Default no.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>Requests without a valid key that one address may send at once, and again in each minute. Default 20; 1 to 10,000.</summary>
    public int FailuresPerMinute { get; init; } = 20;

    /// <summary>Requests of one project that may be open at once: streams, watches and terminals above all. Default 5,000; 1 to 1,000,000.</summary>
    public int MaxOpenRequests { get; init; } = 5000;

    /// <summary>Bytes of bodies and unread answers in memory at once, for all; one project has half. Default 1 GiB; 16 MiB to 1 TiB.</summary>
    public long MaxHeldBytes { get; init; } = 1L << 30;

    /// <summary>How long a caller may take nothing of an answer that waits for it. Default 60 s; 5 s to 1 hour.</summary>
    public TimeSpan ReadTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether reading is in the audit log, too, and not only what changes something or was refused. Default no.</summary>
    public bool AuditReads { get; init; }

    /// <summary>What the answers to requests under an <c>Idempotency-Key</c> may take of the database. Default 200,000 requests and 64 MiB a project.</summary>
    public KeptAnswers KeptAnswers { get; init; } = new();

    /// <summary>What a project may use unless the database says otherwise for it.</summary>
    public QuotaOptions Quotas { get; init; } = new();

    /// <summary>The processor time a living sandbox has used, measured outside of it; null where the host can't say. Default: it can't.</summary>
    public Func<SandboxId, TimeSpan?> CpuTime { get; init; } = static _ => null;

    /// <summary>Where the engine tells of ends. Default: it tells of none, and they are looked for each second.</summary>
    public ToldEnds? Ends { get; init; }

    /// <summary>Throws the error that names what is wrong.</summary>
    public void Validate()
    {
        Quotas.Validate();
        if (FailuresPerMinute is < 1 or > 10_000)
        {
            throw AccessErrors.Invalid("failures_per_minute", FailuresPerMinute.ToString(), "1 to 10000");
        }

        if (MaxOpenRequests is < 1 or > 1_000_000)
        {
            throw AccessErrors.Invalid("open_requests", MaxOpenRequests.ToString(), "1 to 1000000");
        }

        if (MaxHeldBytes is < 16L << 20 or > 1L << 40)
        {
            throw AccessErrors.Invalid("held_bytes", MaxHeldBytes.ToString(), "16777216 to 1099511627776");
        }

        if (ReadTime < TimeSpan.FromSeconds(5) || ReadTime > TimeSpan.FromHours(1))
        {
            throw AccessErrors.Invalid("read_seconds", ReadTime.TotalSeconds.ToString(), "5 to 3600");
        }

        if (AllowAnonymous && !LoopbackOnly)
        {
            throw AccessErrors.AnonymousNotLocal(Address);
        }
    }
}
