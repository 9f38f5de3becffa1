using System.Buffers;
using System.Text.Json;
using Cove.Engine;
using Cove.Server.Hosting;

namespace Cove.Server.Health;

/// <summary>What a server says of itself. No secret is in it, nor a secret's length, nor anything that belongs to one tenant.</summary>
internal sealed class HealthReport(ServerParts parts, ServerLife life, string dataDirectory)
{
    private readonly long _started = parts.Time.GetTimestamp();

    /// <summary>Why the server takes no new work; null when it does.</summary>
    public async Task<string?> WhyNotReadyAsync(CancellationToken cancellationToken)
    {
        if (life.Draining)
        {
            return "stopping";
        }

        foreach (var check in parts.Checks)
        {
            if (await check.FaultAsync(cancellationToken) is { } fault)
            {
                return $"{check.Name}: {fault}";
            }
        }

        return null;
    }

    public async Task<byte[]> ToJsonAsync(CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        await using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("status", await WhyNotReadyAsync(cancellationToken) is null ? "ready" : "not_ready");
        json.WriteString("version", parts.Version);
        json.WriteNumber("uptime_seconds", Math.Floor(parts.Time.GetElapsedTime(_started).TotalSeconds));
        json.WriteNumber("requests", life.Requests);
        WriteIsolation(json, parts.Isolation);
        WriteEngine(json, parts.Census());
        foreach (var check in parts.Checks)
        {
            json.WriteString(check.Name, await check.FaultAsync(cancellationToken) ?? "ok");
        }

        WriteDisk(json, dataDirectory);
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteIsolation(Utf8JsonWriter json, IsolationTier tier)
    {
        json.WriteStartObject("isolation");
        json.WriteString("backend", tier.Backend);
        json.WriteString("privilege", tier.Privilege);
        json.WriteStartArray("degraded");
        foreach (var name in tier.Degraded)
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteEngine(Utf8JsonWriter json, EngineCensus census)
    {
        json.WriteNumber("sandboxes", census.Sandboxes);
        json.WriteNumber("runs", census.Runs);
        json.WriteStartObject("pool");
        foreach (var (template, parked) in census.Parked)
        {
            json.WriteNumber(template, parked);
        }

        json.WriteEndObject();
    }

    private static void WriteDisk(Utf8JsonWriter json, string directory)
    {
        try
        {
            var drive = new DriveInfo(directory);
            json.WriteNumber("data_free_bytes", drive.AvailableFreeSpace);
            json.WriteNumber("data_total_bytes", drive.TotalSize);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            json.WriteNull("data_free_bytes");
        }
    }
}

/// <summary>Something a server can't work without.</summary>
/// <param name="Name">A word, for example <c>database</c>.</param>
/// <param name="FaultAsync">What is wrong with it, in a few words that anybody may read; null when nothing is.</param>
internal sealed record HealthCheck(string Name, Func<CancellationToken, ValueTask<string?>> FaultAsync);
