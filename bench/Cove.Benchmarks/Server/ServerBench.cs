namespace Cove.Benchmarks.Server;

/// <summary>The whole of <c>cove bench --server</c>.</summary>
internal sealed class ServerBench(HttpLoad cove, HttpLoad echo, ServerProcess server, TimeProvider time)
{
    private const int Connections = 32;
    private const int FileBytes = 100_000_000;
    private const string FilePath = "/workspace/large";
    private static readonly TimeSpan _pace = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _settling = TimeSpan.FromSeconds(3);

    /// <summary>Starts the server and the echo as processes of their own and measures them. <paramref name="program"/> is this program.</summary>
    public static async Task<ServerReport> RunAsync(string program, ServerBenchOptions options, TimeProvider time, Action<string> progress, CancellationToken cancellationToken)
    {
        var machine = Machine.Read();
        var data = Directory.CreateTempSubdirectory("cove-bench-");
        data.UnixFileMode |= UnixFileMode.OtherExecute; // a server that has given up root must get through to its data
        try
        {
            progress("starting the server and the echo");
            await using var server = await ServerProcess.StartAsync(program, port => [.. options.ServeArguments, "--urls", $"http://127.0.0.1:{port}", "--data", Path.Combine(data.FullName, "data")], time, cancellationToken);
            await using var bare = await ServerProcess.StartAsync(program, port => ["bench", "--echo", port.ToString(System.Globalization.CultureInfo.InvariantCulture)], time, cancellationToken);
            using var cove = new HttpLoad(server.Address);
            using var echo = new HttpLoad(bare.Address);
            return await new ServerBench(cove, echo, server, time).MeasureAsync(machine, options, progress, cancellationToken);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private async Task<ServerReport> MeasureAsync(Machine machine, ServerBenchOptions options, Action<string> progress, CancellationToken cancellationToken)
    {
        progress("one request after the other");
        var sandbox = await cove.CreateAsync(cancellationToken);
        var (run, bare) = await TurnAboutAsync(sandbox, options.Requests, cancellationToken);
        progress("one tool call after the other");
        var tool = await ToolCallsAsync(sandbox, options.Requests, cancellationToken);
        progress($"{Connections} connections");
        var (runs, echoes) = await CrowdAsync(options.Crowd, cancellationToken);
        progress("create, run, delete");
        var (lives, reaping) = await LivesAsync(options.Lives, cancellationToken);
        progress("100 MB up and down");
        var (up, down) = await TransferAsync(sandbox, cancellationToken);
        progress($"{options.Streams} open streams");
        var streams = await StreamsAsync(sandbox, options.Streams, cancellationToken);
        progress($"{options.Growth} requests");
        var growth = await GrowthAsync(options.Growth, cancellationToken);
        progress("one request after the other, again");
        var before = server.ProcessorMilliseconds();
        var (warm, bareWarm) = await TurnAboutAsync(sandbox, options.Requests, cancellationToken);
        var processor = Math.Round((server.ProcessorMilliseconds() - before) / (options.Requests + (options.Requests / 5)), 3);
        progress("create, run, delete, again");
        var (livesWarm, _) = await LivesAsync(options.Lives, cancellationToken);
        return new ServerReport
        {
            RunWarm = warm, EchoWarm = bareWarm, RunToEchoWarm = Math.Round(warm.P50Ms / bareWarm.P50Ms, 2), ProcessorMsPerRun = processor,
            Machine = machine, Run = run, ToolCall = tool, Echo = bare, RunToEcho = Math.Round(run.P50Ms / bare.P50Ms, 2), Runs = runs, Echoes = echoes, Lives = lives, LivesWarm = livesWarm, Reaping = reaping,
            Upload = up, Download = down, Memory = await MemoryAsync(cancellationToken), Streams = streams, Growth = growth,
        };
    }

    private async Task<(Latency Run, Latency Echo)> TurnAboutAsync(string sandbox, int count, CancellationToken cancellationToken)
    {
        var (runs, echoes) = (new List<double>(), new List<double>());
        var path = HttpLoad.RunsOf(sandbox);
        for (var i = -count / 5; i < count; i++)
        {
            var (run, bare) = (await TimedAsync(() => cove.OnePlusOneAsync(path, cancellationToken)), await TimedAsync(() => echo.OnePlusOneAsync("/", cancellationToken)));
            if (i >= 0) // the first fifth warms both up
            {
                runs.Add(run);
                echoes.Add(bare);
            }
        }

        return (Latency.Of(runs), Latency.Of(echoes));
    }

    private async Task<Latency> ToolCallsAsync(string sandbox, int count, CancellationToken cancellationToken)
    {
        var calls = new List<double>();
        for (var i = -count / 5; i < count; i++)
        {
            var call = await TimedAsync(() => cove.CallToolAsync(sandbox, cancellationToken));
            if (i >= 0) // the first fifth warms it up
            {
                calls.Add(call);
            }
        }

        return Latency.Of(calls);
    }

    private async Task<(Throughput Runs, Throughput Echoes)> CrowdAsync(int each, CancellationToken cancellationToken)
    {
        var sandboxes = new List<string>();
        for (var i = 0; i < Connections; i++)
        {
            sandboxes.Add(await cove.CreateAsync(cancellationToken));
        }

        await FromAllAsync(each / 5, i => cove.OnePlusOneAsync(HttpLoad.RunsOf(sandboxes[i]), cancellationToken));
        var runs = await FromAllAsync(each, i => cove.OnePlusOneAsync(HttpLoad.RunsOf(sandboxes[i]), cancellationToken));
        await FromAllAsync(each / 5, _ => echo.OnePlusOneAsync("/", cancellationToken));
        var echoes = await FromAllAsync(each, _ => echo.OnePlusOneAsync("/", cancellationToken));
        foreach (var sandbox in sandboxes)
        {
            await cove.DeleteAsync(sandbox, cancellationToken);
        }

        return (runs, echoes);
    }

    private async Task<Throughput> FromAllAsync(int each, Func<int, Task> request)
    {
        var started = time.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async connection =>
        {
            for (var i = 0; i < each; i++)
            {
                await request(connection);
            }
        }));
        var seconds = time.GetElapsedTime(started).TotalSeconds;
        return new Throughput(Connections, Connections * each, Math.Round(seconds, 2), Math.Round(Connections * each / seconds));
    }

    private async Task<(Latency Lives, Latency Reaping)> LivesAsync(int count, CancellationToken cancellationToken)
    {
        var (times, reaping) = (new List<double>(), new List<double>());
        for (var i = -5; i < count; i++)
        {
            await Task.Delay(_pace, time, cancellationToken);
            var sandbox = "";
            var took = await TimedAsync(async () =>
            {
                sandbox = await cove.CreateAsync(cancellationToken);
                await cove.OnePlusOneAsync(HttpLoad.RunsOf(sandbox), cancellationToken);
                await cove.DeleteAsync(sandbox, cancellationToken);
            });
            var reaped = await TimedAsync(() => ReapedAsync(sandbox, cancellationToken));
            if (i >= 0)
            {
                times.Add(took);
                reaping.Add(reaped);
            }
        }

        return (Latency.Of(times), Latency.Of(reaping));
    }

    private async Task ReapedAsync(string sandbox, CancellationToken cancellationToken)
    {
        while (!await cove.HasEndedAsync(sandbox, cancellationToken))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(2), time, cancellationToken);
        }
    }

    private async Task<(Transfer Up, Transfer Down)> TransferAsync(string sandbox, CancellationToken cancellationToken)
    {
        var content = new byte[FileBytes];
        Random.Shared.NextBytes(content);
        var (up, down) = (double.MaxValue, double.MaxValue);
        for (var i = 0; i < 5; i++)
        {
            up = Math.Min(up, await TimedAsync(() => cove.UploadAsync(sandbox, FilePath, content, cancellationToken)));
            down = Math.Min(down, await TimedAsync(() => cove.DownloadAsync(sandbox, FilePath, cancellationToken)));
        }

        return (Of(up), Of(down));
    }

    private async Task<Transfer> MemoryAsync(CancellationToken cancellationToken)
    {
        var content = new byte[FileBytes];
        var path = Path.Combine("/dev/shm", "cove-bench-" + Environment.ProcessId);
        var best = double.MaxValue;
        try
        {
            for (var i = 0; i < 3; i++)
            {
                best = Math.Min(best, await TimedAsync(() => File.WriteAllBytesAsync(path, content, cancellationToken)));
            }
        }
        finally
        {
            File.Delete(path);
        }

        return Of(best);
    }

    private async Task<StreamCost> StreamsAsync(string sandbox, int count, CancellationToken cancellationToken)
    {
        var events = await cove.StartAsync(sandbox, """{"shell_line":"sleep 600","timeout_ms":700000}"""u8.ToArray(), cancellationToken);
        var open = new List<HttpResponseMessage>();
        try
        {
            open.Add(await cove.OpenAsync(events, cancellationToken));
            await Task.Delay(_settling, time, cancellationToken);
            var before = server.ResidentMegabytes();
            while (open.Count <= count)
            {
                open.Add(await cove.OpenAsync(events, cancellationToken));
            }

            await Task.Delay(_settling, time, cancellationToken);
            return new StreamCost(count, Math.Round((server.ResidentMegabytes() - before) * 1024 / count, 1));
        }
        finally
        {
            open.ForEach(response => response.Dispose());
        }
    }

    private async Task<Growth> GrowthAsync(int count, CancellationToken cancellationToken)
    {
        var sandbox = await cove.CreateAsync(cancellationToken);
        var path = HttpLoad.RunsOf(sandbox);
        async Task AskAsync(int times)
        {
            for (var i = 0; i < times; i++)
            {
                await cove.OnePlusOneAsync(path, cancellationToken);
            }
        }

        await AskAsync(count / 4);
        var before = server.ResidentMegabytes();
        await AskAsync(count);
        return new Growth(count, Math.Round(before, 1), Math.Round(server.ResidentMegabytes(), 1));
    }

    private static Transfer Of(double milliseconds) => new(FileBytes, Math.Round(milliseconds, 1), Math.Round(FileBytes / 1e6 / (milliseconds / 1000)));

    private async Task<double> TimedAsync(Func<Task> work)
    {
        var started = time.GetTimestamp();
        await work();
        return time.GetElapsedTime(started).TotalMilliseconds;
    }
}

/// <summary>How often what is measured.</summary>
internal sealed record ServerBenchOptions
{
    /// <summary>What starts the server, before <c>--urls</c> and <c>--data</c>.</summary>
    public required IReadOnlyList<string> ServeArguments { get; init; }

    /// <summary>Requests one after the other. Default 2,000.</summary>
    public int Requests { get; init; } = 2000;

    /// <summary>Requests of each of the 32 connections. Default 500.</summary>
    public int Crowd { get; init; } = 500;

    /// <summary>Sandboxes made, used and deleted at 20 a second. Default 200.</summary>
    public int Lives { get; init; } = 200;

    /// <summary>Streams left open. Default 1,000.</summary>
    public int Streams { get; init; } = 1000;

    /// <summary>Requests over which the server's memory must not grow. Default 20,000.</summary>
    public int Growth { get; init; } = 20_000;
}
