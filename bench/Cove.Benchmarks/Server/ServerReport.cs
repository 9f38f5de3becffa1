using System.Text.Json.Serialization;

namespace Cove.Benchmarks.Server;

/// <summary>What one run of <c>cove bench --server</c> found out. The server and the bare echo are processes of their own; both are asked by the same client, turn about.</summary>
internal sealed record ServerReport
{
    public required Machine Machine { get; init; }

    /// <summary>One request after the other on a kept connection.</summary>
    public required Latency Run { get; init; }

    /// <summary>The same run as a tool call of the Model Context Protocol.</summary>
    public required Latency ToolCall { get; init; }

    /// <summary>The same request to a bare Kestrel that answers as many bytes.</summary>
    public required Latency Echo { get; init; }

    /// <summary>The median of <see cref="Run"/> divided by that of <see cref="Echo"/>.</summary>
    public required double RunToEcho { get; init; }

    /// <summary>The same once the server has answered all the others, when nothing is compiled any more.</summary>
    public required Latency RunWarm { get; init; }

    /// <summary>The bare echo beside <see cref="RunWarm"/>.</summary>
    public required Latency EchoWarm { get; init; }

    /// <summary>The median of <see cref="RunWarm"/> divided by that of <see cref="EchoWarm"/>.</summary>
    public required double RunToEchoWarm { get; init; }

    /// <summary>The server's own processor time for one such run, in milliseconds; its sandboxes' is not in it.</summary>
    public required double ProcessorMsPerRun { get; init; }

    /// <summary>Runs a second with many connections, each with a sandbox of its own.</summary>
    public required Throughput Runs { get; init; }

    /// <summary>The same with the bare echo.</summary>
    public required Throughput Echoes { get; init; }

    /// <summary>A sandbox made, used once and deleted, twenty times a second.</summary>
    public required Latency Lives { get; init; }

    /// <summary>The same once the server has answered all the others, when nothing is compiled any more.</summary>
    public required Latency LivesWarm { get; init; }

    /// <summary>From a deletion's answer until nothing of the sandbox is left.</summary>
    public required Latency Reaping { get; init; }

    public required Transfer Upload { get; init; }

    public required Transfer Download { get; init; }

    /// <summary>What the same bytes take to be written to a tmpfs of this machine and read back, with nothing in between.</summary>
    public required Transfer Memory { get; init; }

    public required StreamCost Streams { get; init; }

    public required Growth Growth { get; init; }
}

/// <summary>Times of one kind of request, in milliseconds.</summary>
internal sealed record Latency(double P50Ms, double P95Ms, double P99Ms, int N)
{
    public static Latency Of(IReadOnlyList<double> times) =>
        new(Rounded(times, 0.5), Rounded(times, 0.95), Rounded(times, 0.99), times.Count);

    private static double Rounded(IReadOnlyList<double> times, double share) => Math.Round(Series.Percentile([.. times], share), 3);
}

/// <summary>How much was done in how long.</summary>
internal sealed record Throughput(int Connections, int Requests, double Seconds, double PerSecond);

/// <summary>One large file.</summary>
internal sealed record Transfer(long Bytes, double Milliseconds, double MegabytesPerSecond);

/// <summary>What open streams cost the server, by the growth of its resident memory.</summary>
internal sealed record StreamCost(int Streams, double KilobytesEach);

/// <summary>The server's resident memory before and after many requests.</summary>
internal sealed record Growth(int Requests, double MegabytesBefore, double MegabytesAfter);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ServerReport))]
internal sealed partial class ServerBenchJson : JsonSerializerContext;
