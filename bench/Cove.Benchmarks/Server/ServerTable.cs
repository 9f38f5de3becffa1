namespace Cove.Benchmarks.Server;

/// <summary>The report as a person reads it.</summary>
internal static class ServerTable
{
    public static void Write(ServerReport report, TextWriter writer)
    {
        var machine = report.Machine;
        writer.WriteLine($"{machine.Processor}, {machine.Cores} cores, Linux {machine.Kernel}; load average at the start {machine.LoadAverage}");
        writer.WriteLine($"{"over HTTP on loopback",-50} {"p50 ms",9} {"p95 ms",9} {"p99 ms",9} {"n",6}");
        Row(writer, $"run 1+1 ({report.RunToEcho:0.0#}x the bare echo)", report.Run);
        Row(writer, "the same as an MCP tool call", report.ToolCall);
        Row(writer, "bare Kestrel echo of the same size", report.Echo);
        Row(writer, $"run 1+1 later ({report.RunToEchoWarm:0.0#}x; {report.ProcessorMsPerRun:0.00} ms of processor)", report.RunWarm);
        Row(writer, "bare echo beside it", report.EchoWarm);
        Row(writer, "create + run 1+1 + delete, 20 a second", report.Lives);
        Row(writer, "create + run 1+1 + delete, later", report.LivesWarm);
        Row(writer, "from delete's answer until it has ended", report.Reaping);
        writer.WriteLine($"{report.Runs.Connections} connections: {report.Runs.PerSecond:0} runs/s; bare echo {report.Echoes.PerSecond:0}/s");
        writer.WriteLine($"100 MB: up {report.Upload.MegabytesPerSecond:0} MB/s, down {report.Download.MegabytesPerSecond:0} MB/s; plain write to memory {report.Memory.MegabytesPerSecond:0} MB/s");
        writer.WriteLine($"{report.Streams.Streams} idle streams: {report.Streams.KilobytesEach:0.#} KB each; server memory {report.Growth.MegabytesBefore:0.#} MB, after {report.Growth.Requests:N0} more requests {report.Growth.MegabytesAfter:0.#} MB");
    }

    private static void Row(TextWriter writer, string name, Latency times) =>
        writer.WriteLine($"  {name,-48} {times.P50Ms,9:0.000} {times.P95Ms,9:0.000} {times.P99Ms,9:0.000} {times.N,6}");
}
