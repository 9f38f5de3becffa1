using Cove.Server.Access.Quotas;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Settings;

/// <summary>How a server works. Immutable; read from all its sources and checked before anything starts (<see cref="ServerSettings"/>).</summary>
internal sealed record ServerOptions
{
    /// <summary>Where it listens. Default <c>http://127.0.0.1:8787</c>; 1 to 16 addresses.</summary>
    public IReadOnlyList<ListenUrl> Urls { get; init; } = [ListenUrl.Default];

    /// <summary>Where everything is kept that outlives the server; an absolute path, its user's alone.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>A PostgreSQL connection string; it may hold a password and is never shown. Default null: SQLite in the data directory.</summary>
    public string? Database { get; init; }

    /// <summary>A key that the place it runs in provides; never shown. Default null: keys are made with <c>cove keys create</c>.</summary>
    public string? ProvidedKey { get; init; }

    /// <summary>Whether callers need no key. On loopback only. Default no.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>Host names that requests may carry besides localhost and the addresses it listens at. Default none; at most 64.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Protections that may be missing, by name. Default none.</summary>
    public IReadOnlyList<string> AllowDegraded { get; init; } = [];

    /// <summary>The largest request body, bytes, but for file contents, which the sandbox's disk limit bounds. Default 96 MiB; 64 KiB to 1 GiB.</summary>
    public long MaxBodyBytes { get; init; } = 96 << 20;

    /// <summary>Connections that may be open at once; further ones wait to be accepted or are closed. Default 10,000; 1 to 1,000,000.</summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>Bytes of request bodies and unread answers in memory at once, for all; one project has half. Default null: a quarter of the memory; 16 MiB to 1 TiB.</summary>
    public long? HeldBytes { get; init; }

    /// <summary>How long a caller with a key may take nothing of an answer that waits for it. Default 60 s; 5 s to 1 hour.</summary>
    public TimeSpan ReadTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Sandboxes that may live at once. Default 1,000; 1 to 100,000.</summary>
    public int MaxSandboxes { get; init; } = 1000;

    /// <summary>Parked cells for each template. Default null: the template's own; 0 to 1,000.</summary>
    public int? PoolSize { get; init; }

    /// <summary>What a project may use unless the database says otherwise for it.</summary>
    public QuotaOptions Quotas { get; init; } = new();

    /// <summary>Requests without a valid key that one address may send at once, and again in each minute. Default 20; 1 to 10,000.</summary>
    public int FailuresPerMinute { get; init; } = 20;

    /// <summary>How long audit rows, runs and ended sandboxes are kept. Default 90 days; 1 to 3,653.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Whether reading is in the audit log, too. Default no.</summary>
    public bool AuditReads { get; init; }

    /// <summary>How long what is in progress may take to end once the server is told to stop. Default 30 s; 0 to 3,600.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The least level that is logged. Default information.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>How log lines look. Default: text at a terminal, JSON elsewhere.</summary>
    public LogFormat LogFormat { get; init; } = LogFormat.Auto;

    /// <summary>Where OpenTelemetry goes, over OTLP as protobuf in HTTP. Default null: nowhere.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>A PEM file with the certificate (chain) for https addresses.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>A PEM file with its private key.</summary>
    public string? TlsKey { get; init; }

    /// <summary>The Google Cloud project whose traces the log refers to. Default null: bare trace ids.</summary>
    public string? GoogleProject { get; init; }

    /// <summary>Whether nobody but this machine can reach it.</summary>
    public bool IsLoopbackOnly => Urls.All(url => url.IsLoopback);

    /// <summary>Every host name that a request may carry.</summary>
    public IReadOnlyCollection<string> AcceptedHosts =>
        new HashSet<string>(["localhost", "127.0.0.1", "[::1]", .. Urls.Select(url => url.HostText), .. Hosts], StringComparer.OrdinalIgnoreCase);
}

/// <summary>How log lines look.</summary>
internal enum LogFormat
{
    /// <summary>Text at a terminal, JSON elsewhere.</summary>
    Auto,

    /// <summary>A line for a reader.</summary>
    Text,

    /// <summary>A JSON object a line, in the form Cloud Logging reads.</summary>
    Json,
}
