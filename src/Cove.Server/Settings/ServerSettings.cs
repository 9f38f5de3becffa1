using System.Globalization;
using Cove.Server.Access;
using Cove.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Settings;

/// <summary>Every setting of a server.</summary>
internal static class ServerSettings
{
    private static readonly string[] _protections = ["memory", "cpu", "pids", "landlock", "ids"];

    public static IReadOnlyList<Setting> All { get; } =
    [
        new("urls", "Where the server listens.", "http://127.0.0.1:8787", ListenUrl.Form + "; up to 16, separated by commas; localhost needs a port that is not 0", Urls) { Flag = "--urls", Environment = ["COVE_URLS"], IsList = true },
        new("port", "Listens at 0.0.0.0 on this port, as container platforms want it; 'urls' from a nearer source wins.", "none", "a port from 1 to 65535", Port) { Environment = ["PORT"] },
        new("data", "The directory for everything that outlives the server.", "/var/lib/cove for root, else $XDG_STATE_HOME/cove/server or ~/.local/state/cove/server", "an absolute path", (options, value) => AbsolutePath(value) is { } path ? options with { DataDirectory = path } : null) { Flag = "--data", Environment = ["COVE_DATA"] },
        new("database", "A PostgreSQL connection string; no flag, since a command line can be read by others.", "SQLite in the data directory", "a connection string of 1 to 4,096 characters", (options, value) => value.Text.Length is >= 1 and <= 4096 ? options with { Database = value.Text } : null) { Environment = ["COVE_DATABASE"], IsSecret = true },
        new("api_key", "A key that the place it runs in provides, for example out of a secret store; no flag, since a command line can be read by others.", "none", "a key as 'cove keys create' makes them", (options, value) => ApiKey.TryParse(value.Text, out _) ? options with { ProvidedKey = value.Text } : null) { Environment = ["COVE_API_KEY"], IsSecret = true },
        new("allow_anonymous", "Callers need no key; on loopback only.", "false", "true or false", (options, value) => Flag(value) is { } flag ? options with { AllowAnonymous = flag } : null) { Flag = "--allow-anonymous", Environment = ["COVE_ALLOW_ANONYMOUS"], IsSwitch = true },
        new("hosts", "Host names that requests may carry besides localhost and the addresses listened at, for example the name of a proxy in front.", "none", "up to 64 host names without port, separated by commas; *.example.org stands for every name below example.org", Hosts) { Flag = "--hosts", Environment = ["COVE_HOSTS"], IsList = true },
        new("allow_degraded", "Protections that may be missing on this machine, by name.", "none", "names out of " + string.Join(", ", _protections) + ", separated by commas", Degraded) { Flag = "--allow-degraded", Environment = ["COVE_ALLOW_DEGRADED"], IsList = true },
        new("max_body_bytes", "The largest request body; file contents are bounded by the sandbox's disk limit instead.", "100663296", "65536 to 1073741824", (options, value) => Number(value, 64 << 10, 1 << 30) is { } bytes ? options with { MaxBodyBytes = bytes } : null) { Flag = "--max-body-bytes", Environment = ["COVE_MAX_BODY_BYTES"] },
        new("max_connections", "Connections that may be open at once.", "10000", "1 to 1000000", (options, value) => Number(value, 1, 1_000_000) is { } count ? options with { MaxConnections = (int)count } : null) { Flag = "--max-connections", Environment = ["COVE_MAX_CONNECTIONS"] },
        new("held_bytes", "Bytes of request bodies and unread answers in memory at once; one project has half of them.", "a quarter of the memory this process may use, 134217728 to 4294967296", "16777216 to 1099511627776", (options, value) => Number(value, 16777216, 1099511627776) is { } bytes ? options with { HeldBytes = bytes } : null) { Flag = "--held-bytes", Environment = ["COVE_HELD_BYTES"] },
        new("read_seconds", "How long a caller with a key may take nothing of an answer that waits for it before it is cut off; without a key it is 10.", "60", "5 to 3600", (options, value) => Number(value, 5, 3600) is { } seconds ? options with { ReadTime = TimeSpan.FromSeconds(seconds) } : null) { Flag = "--read-seconds", Environment = ["COVE_READ_SECONDS"] },
        new("max_sandboxes", "Sandboxes that may live at once; creating further ones waits for a place.", "1000", "1 to 100000", (options, value) => Number(value, 1, 100_000) is { } count ? options with { MaxSandboxes = (int)count } : null) { Flag = "--max-sandboxes", Environment = ["COVE_MAX_SANDBOXES"] },
        new("pool_size", "Parked sandboxes kept ready for each template.", "the template's own", "0 to 1000", (options, value) => Number(value, 0, 1000) is { } count ? options with { PoolSize = (int)count } : null) { Flag = "--pool-size", Environment = ["COVE_POOL_SIZE"] },
        new("quota_sandboxes", "Sandboxes that a project may have at once; cove project set changes one project's.", "200", "1 to 100000", (options, value) => Number(value, 1, 100000) is { } number ? options with { Quotas = options.Quotas with { MaxSandboxes = number } } : null) { Flag = "--quota-sandboxes", Environment = ["COVE_QUOTA_SANDBOXES"] },
        new("quota_memory_bytes", "The memory limits of a project's sandboxes together, in bytes.", "274877906944", "67108864 to 1125899906842624", (options, value) => Number(value, 67108864, 1125899906842624) is { } number ? options with { Quotas = options.Quotas with { MaxMemoryBytes = number } } : null) { Flag = "--quota-memory-bytes", Environment = ["COVE_QUOTA_MEMORY_BYTES"] },
        new("quota_cpu_seconds", "Seconds of processor time that a project may use in a day (UTC).", "86400", "1 to 1000000000", (options, value) => Number(value, 1, 1000000000) is { } number ? options with { Quotas = options.Quotas with { CpuSecondsPerDay = number } } : null) { Flag = "--quota-cpu-seconds", Environment = ["COVE_QUOTA_CPU_SECONDS"] },
        new("quota_requests", "Requests that a project may send in a minute.", "600000", "1 to 100000000", (options, value) => Number(value, 1, 100000000) is { } number ? options with { Quotas = options.Quotas with { RequestsPerMinute = number } } : null) { Flag = "--quota-requests", Environment = ["COVE_QUOTA_REQUESTS"] },
        new("auth_failures", "Requests without a valid key that one address may send in a minute before it has to wait.", "20", "1 to 10000", (options, value) => Number(value, 1, 10000) is { } number ? options with { FailuresPerMinute = (int)number } : null) { Flag = "--auth-failures", Environment = ["COVE_AUTH_FAILURES"] },
        new("retention_days", "How many days the audit log, runs and ended sandboxes are kept.", "90", "1 to 3653", (options, value) => Number(value, 1, 3653) is { } number ? options with { Retention = TimeSpan.FromDays(number) } : null) { Flag = "--retention-days", Environment = ["COVE_RETENTION_DAYS"] },
        new("audit_reads", "Requests that only read are in the audit log, too.", "false", "true or false", (options, value) => Flag(value) is { } flag ? options with { AuditReads = flag } : null) { Flag = "--audit-reads", Environment = ["COVE_AUDIT_READS"], IsSwitch = true },
        new("drain_seconds", "How long what is in progress may take to end once the server is told to stop; then runs are killed.", "30", "0 to 3600", (options, value) => Number(value, 0, 3600) is { } seconds ? options with { DrainTime = TimeSpan.FromSeconds(seconds) } : null) { Flag = "--drain-seconds", Environment = ["COVE_DRAIN_SECONDS"] },
        new("log", "How log lines look: JSON in the form Cloud Logging reads, or text; auto is text at a terminal.", "auto", "auto, text or json", Format) { Flag = "--log", Environment = ["COVE_LOG"] },
        new("log_level", "The least level that is logged.", "information", "debug, information, warning or error", Level) { Flag = "--log-level", Environment = ["COVE_LOG_LEVEL"] },
        new("otlp", "Where OpenTelemetry traces, metrics and logs go, over OTLP as protobuf in HTTP; /v1/traces and so on are added.", "nowhere", "an http or https URL, for example http://127.0.0.1:4318", (options, value) => HttpUrl(value.Text) is { } url ? options with { Otlp = url } : null) { Flag = "--otlp", Environment = ["COVE_OTLP", "OTEL_EXPORTER_OTLP_ENDPOINT"] },
        new("tls_cert", "The certificate, with its chain, for https addresses. Read once at the start.", "none", "the absolute path of a PEM file", (options, value) => AbsolutePath(value) is { } path ? options with { TlsCertificate = path } : null) { Flag = "--tls-cert", Environment = ["COVE_TLS_CERT"] },
        new("tls_key", "The certificate's private key, not encrypted.", "none", "the absolute path of a PEM file", (options, value) => AbsolutePath(value) is { } path ? options with { TlsKey = path } : null) { Flag = "--tls-key", Environment = ["COVE_TLS_KEY"] },
        new("google_project", "The Google Cloud project whose traces the log lines refer to.", "none: bare trace ids", "6 to 63 of a-z, 0-9, '-', ':' and '.'", Project) { Environment = ["GOOGLE_CLOUD_PROJECT"] },
    ];

    private static ServerOptions? Urls(ServerOptions options, SettingValue value)
    {
        var urls = value.Items.Select(ListenUrl.TryParse).ToArray();
        return urls.Length is >= 1 and <= 16 && urls.All(url => url is not null) ? options with { Urls = urls! } : null;
    }

    private static ServerOptions? Port(ServerOptions options, SettingValue value) =>
        Number(value, 1, 65535) is { } port ? options with { Urls = [new ListenUrl(false, System.Net.IPAddress.Any, (int)port)] } : null;

    private static ServerOptions? Hosts(ServerOptions options, SettingValue value) =>
        value.Items.Count <= 64 && value.Items.All(HostNames.IsAcceptable)
            ? options with { Hosts = value.Items }
            : null;

    private static ServerOptions? Degraded(ServerOptions options, SettingValue value) =>
        value.Items.All(name => _protections.Contains(name)) ? options with { AllowDegraded = value.Items } : null;

    private static ServerOptions? Format(ServerOptions options, SettingValue value) => value.Text switch
    {
        "auto" => options with { LogFormat = LogFormat.Auto },
        "text" => options with { LogFormat = LogFormat.Text },
        "json" => options with { LogFormat = LogFormat.Json },
        _ => null,
    };

    private static ServerOptions? Level(ServerOptions options, SettingValue value) => value.Text switch
    {
        "debug" => options with { LogLevel = LogLevel.Debug },
        "information" => options with { LogLevel = LogLevel.Information },
        "warning" => options with { LogLevel = LogLevel.Warning },
        "error" => options with { LogLevel = LogLevel.Error },
        _ => null,
    };

    private static ServerOptions? Project(ServerOptions options, SettingValue value) =>
        value.Text.Length is >= 6 and <= 63 && value.Text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or ':' or '.') ? options with { GoogleProject = value.Text } : null;

    private static bool? Flag(SettingValue value) => value.Text switch
    {
        "true" or "1" => true,
        "false" or "0" => false,
        _ => null,
    };

    private static long? Number(SettingValue value, long least, long most) =>
        long.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null;

    /// <summary>Nothing is taken from the working directory because a file or a variable says so; who types a flag knows where they are.</summary>
    private static string? AbsolutePath(SettingValue value) =>
        value.Text.Length > 0 && value.Text.Length <= 4096 && !value.Text.Contains('\0') && (value.IsFlag || Path.IsPathFullyQualified(value.Text)) ? Path.GetFullPath(value.Text) : null;

    private static Uri? HttpUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps) && url.Query.Length == 0 && url.UserInfo.Length == 0 ? url : null;
}
