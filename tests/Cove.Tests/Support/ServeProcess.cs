using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Xunit;

namespace Cove.Tests.Support;

/// <summary><c>cove serve</c> as a process of its own, with a real engine, on a free port of loopback.</summary>
public sealed partial class ServeProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly TemporaryDirectory? _own;
    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly Task _reading;
    private readonly TaskCompletionSource<Uri> _listens = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServeProcess(TemporaryDirectory? own, string place, IEnumerable<string> arguments)
    {
        _own = own;
        Place = place;
        var start = CoveProgram.Start(["serve", .. arguments]);
        foreach (var name in new[] { "runtime", "state" })
        {
            Directory.CreateDirectory(Path.Combine(place, name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // a server that gave up root could not remove its sockets from TMPDIR
        start.Environment["XDG_RUNTIME_DIR"] = Path.Combine(place, "runtime");
        start.Environment["XDG_STATE_HOME"] = Path.Combine(place, "state");
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
        _reading = ReadLogAsync();
    }

    /// <summary>Its directory: runtime, state, data.</summary>
    public string Place { get; }

    /// <summary>Its standard output, line by line.</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    public Task<string> Errors => _errors;

    public int Id => _process.Id;

    /// <summary>Starts one; in <paramref name="place"/> when it is given, else in a directory that goes with it.</summary>
    public static ServeProcess Start(string? place = null, params string[] arguments)
    {
        var own = place is null ? new TemporaryDirectory() : null;
        place ??= own!.Path;

        // The server gives up root, and its service user must be able to walk to the data.
        File.SetUnixFileMode(place, File.GetUnixFileMode(place) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);
        string[] degraded = LiveEngine.Privilege == "bare" ? ["--allow-degraded", "memory,cpu"] : [];
        return new ServeProcess(own, place, [.. arguments.Contains("--urls") ? [] : new[] { "--urls", "http://127.0.0.1:0" }, "--data", Path.Combine(place, "data"), "--log", "json", .. degraded, .. arguments]);
    }

    /// <summary>Waits until it answers.</summary>
    public async Task<HttpClient> AnswersAsync()
    {
        var ended = _process.WaitForExitAsync();
        var first = await Task.WhenAny(_listens.Task, ended).WaitAsync(Patience);
        Assert.True(first == _listens.Task, "cove serve ended: " + (ended.IsCompleted ? await _errors : ""));
        var http = new HttpClient { BaseAddress = await _listens.Task, Timeout = Patience };
        using var response = await http.GetAsync("/health");
        Assert.True(response.IsSuccessStatusCode);
        return http;
    }

    public void Signal(PosixSignal signal) => Assert.Equal(0, Kill(_process.Id, signal == PosixSignal.SIGTERM ? 15 : signal == PosixSignal.SIGINT ? 2 : throw new ArgumentOutOfRangeException(nameof(signal))));

    public void Kill() => _process.Kill(entireProcessTree: false);

    /// <summary>Waits for its end; its exit code.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        await _reading.WaitAsync(Patience);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: false);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _own?.Dispose();
    }

    private async Task ReadLogAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            Log.Enqueue(line);
            if (line.Contains("\"event_id\":210", StringComparison.Ordinal))
            {
                var message = JsonDocument.Parse(line).RootElement.GetProperty("message").GetString()!;
                _listens.TrySetResult(new Uri(message.Split(' ').First(word => word.StartsWith("http://", StringComparison.Ordinal)).TrimEnd(',')));
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
