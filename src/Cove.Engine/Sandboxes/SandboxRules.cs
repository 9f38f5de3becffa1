using System.Globalization;
using Cove.Engine.Templates;

namespace Cove.Engine.Sandboxes;

/// <summary>Checks every field of a request for a sandbox. Pure; the first fault is thrown as <c>invalid_request</c>.</summary>
internal static class SandboxRules
{
    public static readonly TimeSpan DefaultIdleTimeout = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan DefaultMaxLifetime = TimeSpan.FromHours(1);
    public static readonly TimeSpan DefaultCreateTimeout = TimeSpan.FromSeconds(30);

    private const int MaxVariables = 1000;
    private const int MaxVariableBytes = 256 << 10;
    private const int MaxLabels = 64;
    private const int MaxLabelBytes = 16 << 10;

    public static SandboxPlan Check(SandboxRequest request, IReadOnlyDictionary<string, LoadedTemplate> templates)
    {
        if (request.Template is null || !templates.TryGetValue(request.Template, out var loaded))
        {
            throw Refusals.InvalidRequest("template", request.Template ?? "null", $"one of {string.Join(", ", templates.Keys.Order(StringComparer.Ordinal))}");
        }

        Environment("environment", request.Environment);
        Labels(request.Metadata);
        if (!Enum.IsDefined(request.Network))
        {
            throw Refusals.InvalidRequest("network", (int)request.Network, "none");
        }

        return new SandboxPlan
        {
            Loaded = loaded,
            Limits = Limits(request.Limits, loaded.Template.Limits),
            Environment = Copy(request.Environment),
            Metadata = Copy(request.Metadata),
            IdleTimeout = Idle(request.IdleTimeout ?? DefaultIdleTimeout),
            MaxLifetime = Lifetime("max_lifetime_ms", request.MaxLifetime ?? DefaultMaxLifetime),
            Network = request.Network,
            Owner = request.Owner,
        };
    }

    /// <summary>Checks a change of a sandbox's life.</summary>
    public static void Check(SandboxExtension extension)
    {
        if (extension is { Lifetime: null, IdleTimeout: null })
        {
            throw Refusals.InvalidRequest("lifetime_ms, idle_timeout_ms", "neither", "at least one of them");
        }

        _ = extension.Lifetime is { } lifetime ? Lifetime("lifetime_ms", lifetime) : default;
        _ = extension.IdleTimeout is { } idle ? Idle(idle) : default;
    }

    private static TimeSpan Idle(TimeSpan value) => Span("idle_timeout_ms", value, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24));

    private static TimeSpan Lifetime(string field, TimeSpan value) => Span(field, value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(30));

    public static TimeSpan CreateTimeout(SandboxRequest request) => Span(
        "create_timeout_ms", request.CreateTimeout ?? DefaultCreateTimeout, TimeSpan.Zero, TimeSpan.FromMinutes(10));

    /// <summary>Checks the variables of a sandbox or a command.</summary>
    public static void Environment(string field, IReadOnlyDictionary<string, string>? environment)
    {
        if (environment is null)
        {
            return;
        }

        if (environment.Count > MaxVariables)
        {
            throw Refusals.InvalidRequest(field, $"{environment.Count} variables", $"at most {MaxVariables:N0}");
        }

        long bytes = 0;
        foreach (var (name, value) in environment)
        {
            if (!Names.IsVariable(name))
            {
                throw Refusals.InvalidRequest(field, name, "names of the form [A-Za-z_][A-Za-z0-9_]*, at most 256 characters");
            }

            if (!Texts.IsPlain(value))
            {
                throw Refusals.InvalidRequest($"{field}.{name}", null, "a value that is valid text without NUL");
            }

            bytes += Texts.Bytes(name) + Texts.Bytes(value);
        }

        if (bytes > MaxVariableBytes)
        {
            throw Refusals.InvalidRequest(field, $"{bytes} bytes", $"at most {MaxVariableBytes >> 10} KiB in all");
        }
    }

    /// <summary>Checks a time. The field is named as callers over the wire give it, in milliseconds.</summary>
    public static TimeSpan Span(string field, TimeSpan value, TimeSpan minimum, TimeSpan maximum) => value >= minimum && value <= maximum
        ? value
        : throw Refusals.InvalidRequest(
            field, value.TotalMilliseconds, string.Create(CultureInfo.InvariantCulture, $"{minimum.TotalMilliseconds:0} to {maximum.TotalMilliseconds:0} (milliseconds; at most {Durations.Say(maximum)})"));

    private static void Labels(IReadOnlyDictionary<string, string>? labels)
    {
        if (labels is null)
        {
            return;
        }

        if (labels.Count > MaxLabels)
        {
            throw Refusals.InvalidRequest("metadata", $"{labels.Count} labels", $"at most {MaxLabels}");
        }

        long bytes = 0;
        foreach (var (name, value) in labels)
        {
            if (name.Length == 0 || value is null)
            {
                throw Refusals.InvalidRequest("metadata", name, "labels with a name and a text");
            }

            bytes += Texts.Bytes(name) + Texts.Bytes(value);
        }

        if (bytes > MaxLabelBytes)
        {
            throw Refusals.InvalidRequest("metadata", $"{bytes} bytes", $"at most {MaxLabelBytes >> 10} KiB in all");
        }
    }

    private static SandboxLimits Limits(SandboxLimitsRequest? request, SandboxLimits template)
    {
        if (request is null)
        {
            return template;
        }

        var limits = new SandboxLimits
        {
            MemoryBytes = Limit("limits.memory_bytes", request.MemoryBytes, template.MemoryBytes, LimitRanges.Memory),
            CpuMillis = (int)Limit("limits.cpu_millis", request.CpuMillis, template.CpuMillis, LimitRanges.Cpu),
            Pids = (int)Limit("limits.pids", request.Pids, template.Pids, LimitRanges.Pids),
            DiskBytes = Limit("limits.disk_bytes", request.DiskBytes, template.DiskBytes, LimitRanges.Disk),
            Inodes = Limit("limits.inodes", request.Inodes, template.Inodes, LimitRanges.Inodes),
            OpenFiles = (int)Limit("limits.open_files", request.OpenFiles, template.OpenFiles, LimitRanges.OpenFiles),
        };

        // A default gives way to the memory asked for; what was asked for itself is given, or refused.
        if (request.DiskBytes is { } disk && disk > limits.MemoryBytes / 2)
        {
            throw Refusals.InvalidRequest(
                "limits.disk_bytes", disk,
                $"at most {limits.MemoryBytes / 2} (files lie in memory: half of 'limits.memory_bytes', which is {limits.MemoryBytes}), or 'limits.memory_bytes' of at least {disk * 2}");
        }

        return LimitRanges.WithDiskInMemory(limits);
    }

    private static long Limit(string field, long? wanted, long otherwise, LimitRange range) =>
        wanted is not { } value ? otherwise
        : value >= range.Minimum && value <= range.Maximum ? value
        : throw Refusals.InvalidRequest(field, value, $"{range.Minimum:N0} to {range.Maximum:N0}");

    /// <summary>A caller may change its dictionary afterwards; a sandbox keeps what was checked.</summary>
    private static Dictionary<string, string>? Copy(IReadOnlyDictionary<string, string>? given) => given is null ? null : new(given);
}
