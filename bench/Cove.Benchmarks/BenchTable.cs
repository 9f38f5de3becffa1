namespace Cove.Benchmarks;

/// <summary>The report as a person reads it.</summary>
internal static class BenchTable
{
    public static void Write(BenchReport report, TextWriter writer)
    {
        var machine = report.Machine;
        writer.WriteLine($"{machine.Processor}, {machine.Cores} cores, {machine.MemoryGigabytes:0.#} GiB, Linux {machine.Kernel}; load average at the start {machine.LoadAverage}; {report.Privilege}");
        foreach (var group in report.Measures.GroupBy(m => m.Group))
        {
            writer.WriteLine();
            writer.WriteLine($"{group.Key,-62} {"p50 ms",9} {"p95 ms",9} {"p99 ms",9} {"n",6}  compared");
            foreach (var measure in group)
            {
                writer.WriteLine($"  {measure.Name,-60} {measure.P50Ms,9:0.000} {measure.P95Ms,9:0.000} {measure.P99Ms,9:0.000} {measure.N,6}  {Compared(measure)}");
            }
        }

        writer.WriteLine();
        foreach (var burst in report.Bursts)
        {
            writer.WriteLine($"burst of {burst.Sandboxes} {burst.Name}: p50 {burst.P50Ms:0} ms, p95 {burst.P95Ms:0} ms, p99 {burst.P99Ms:0} ms, all after {burst.AllMs:0} ms, {burst.Failed} failed");
        }

        foreach (var density in report.Densities)
        {
            writer.WriteLine($"{density.Sandboxes} idle sandboxes of {density.Template}: {density.HostMegabytesEach:0.00} MB of host memory each (fall of MemAvailable), {Megabytes(density.ProcessMegabytesEach)} of it in processes (PSS), {Megabytes(density.ChargedMegabytesEach)} charged to its group");
        }

        var leaks = report.Leaks;
        writer.WriteLine($"left after {leaks.Sandboxes} sandboxes came and went: {leaks.Processes} processes, {leaks.Mounts} mounts, {leaks.ControlGroups} control groups, {leaks.Descriptors} descriptors");
        foreach (var skipped in report.Skipped)
        {
            writer.WriteLine($"{skipped.Name}: skipped ({skipped.Reason})");
        }

        writer.WriteLine($"took {report.ElapsedSeconds:0} s. A peer's time runs from its command's start to its end; Cove's until the sandbox answers.");
    }

    private static string Megabytes(double? value) => value is { } known ? $"{known:0.00} MB" : "unknown";

    private static string Compared(Measure measure) => (measure.RatioToPool, measure.Ratio) switch
    {
        ({ } pool, { } fresh) => $"{pool:0}x from the pool, {fresh:0.#}x without",
        (_, { } echo) => $"{echo:0.#}x the bare echo",
        _ => "",
    };
}
