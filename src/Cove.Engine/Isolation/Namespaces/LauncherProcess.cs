using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>Starts the launcher (guest/python/launcher) and waits for its first word.</summary>
internal sealed class LauncherProcess : IAsyncDisposable
{
    private const string Interpreter = "/usr/bin/python3";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly TaskCompletionSource<JsonElement> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _runDirectory;
    private readonly Action<JsonElement> _onEvent;
    private readonly TimeProvider _time;

    private LauncherProcess(string runDirectory, Process process, Action<JsonElement> onEvent, TimeProvider time)
    {
        _runDirectory = runDirectory;
        _process = process;
        _onEvent = onEvent;
        _time = time;
    }

    public LauncherLink Link { get; private set; } = null!;

    /// <summary>What the launcher said of itself: privilege, missing protections.</summary>
    public JsonElement Ready { get; private set; }

    public static async Task<LauncherProcess> StartAsync(
        NamespacesOptions options, Reactor reactor, Action<JsonElement> onEvent, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!File.Exists(Interpreter))
        {
            throw Unavailable("python_missing", $"{Interpreter} is not there.", "Install it: apt-get install python3");
        }

        // Private to this user: whoever can connect to the socket in it would be taken for the launcher.
        var runDirectory = Directory.CreateTempSubdirectory("cove-").FullName;
        var root = Directory.CreateDirectory(Path.Combine(runDirectory, "root")).FullName;
        var cache = Directory.CreateDirectory(Path.Combine(options.StateDirectory, "cache")).FullName;
        var address = Path.Combine(runDirectory, "launcher.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(address));
        listener.Listen(1);

        // A name of its own for each launcher: one that was killed may have left its groups behind.
        var process = Start(options, SandboxId.New().Value, address, root, cache);
        var launcher = new LauncherProcess(runDirectory, process, onEvent, time);
        try
        {
            await launcher.ConnectAsync(listener, reactor, cancellationToken);
            // The launcher has moved into what it mounted there, in a mount namespace of its own; nothing is left at this name.
            Directory.Delete(runDirectory, recursive: true);
            return launcher;
        }
        catch
        {
            await launcher.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Link?.Dispose(); // the end of the link is the launcher's signal to take everything down and leave
        try
        {
            await _process.WaitForExitAsync().WaitAsync(_patience, _time);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: false); // its child, PID 1 of the namespace, has asked to die with it
        }

        _process.Dispose();
        if (Directory.Exists(_runDirectory))
        {
            Directory.Delete(_runDirectory, recursive: true); // it failed before it got that far
        }
    }

    private static Process Start(NamespacesOptions options, string engineId, string address, string root, string cache)
    {
        var start = new ProcessStartInfo(Interpreter)
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
        };
        start.Environment.Clear();
        const string Code = "import sys; sys.path.insert(0, sys.argv.pop()); import launcher.main; launcher.main.main()";
        string[] arguments = ["-I", "-S", "-B", "-c", Code, EncodeOptions(options, engineId, address, root, cache), Path.Combine(options.GuestDirectory, "python")];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start) ?? throw Unavailable("launcher_failed", $"{Interpreter} could not be started.", "Run cove doctor.");
    }

    private static string EncodeOptions(NamespacesOptions options, string engineId, string address, string root, string cache)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("socket", address);
            json.WriteString("engine", engineId);
            json.WriteString("directory", root);
            json.WriteString("cache", cache);
            json.WriteString("guest", options.GuestDirectory);
            // Root's ranges are the host's; an ordinary user's are parts of that user's own subordinate ids.
            json.WriteString("leases", Environment.IsPrivilegedProcess ? "/run/cove/leases" : Path.Combine(options.StateDirectory, "leases"));
            if (options.DelegatedGroup is { } group)
            {
                json.WriteString("delegated_group", group);
            }

            json.WriteStartObject("roots");
            foreach (var (name, directory) in options.TemplateRoots)
            {
                json.WriteString(name, directory);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static CoveException Unavailable(string code, string message, string remediation, bool retryable = false) =>
        new(new RunError { Code = code, Category = ErrorCategory.Infrastructure, Retryable = retryable, Message = message, Remediation = remediation });

    private async Task ConnectAsync(Socket listener, Reactor reactor, CancellationToken cancellationToken)
    {
        _process.ErrorDataReceived += (_, line) => KeepError(line.Data);
        _process.OutputDataReceived += (_, line) => KeepError(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        _process.StandardInput.Close();

        using var timeout = new CancellationTokenSource(_patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var accepting = listener.AcceptAsync(either.Token).AsTask();
        var exited = _process.WaitForExitAsync(either.Token);
        try
        {
            if (await Task.WhenAny(accepting, exited) == exited)
            {
                throw Failed();
            }

            using var socket = await accepting;
            // The descriptor outlives the Socket object: it is the reactor's from here on.
            Link = new LauncherLink(reactor, Duplicate(socket), OnEvent);
            _ = Link.Closed.ContinueWith(_ => _ready.TrySetException(Failed()), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            Ready = await _ready.Task.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed();
        }
    }

    private static SafeFileHandle Duplicate(Socket socket)
    {
        var descriptor = Libc.Duplicate(socket.SafeHandle, Libc.F_DUPFD_CLOEXEC, 3);
        if (descriptor < 0)
        {
            throw Libc.Failure("fcntl");
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Libc.MakeNonBlocking(handle);
        return handle;
    }

    private void OnEvent(JsonElement message)
    {
        switch (message.GetProperty("event").GetString())
        {
            case "ready":
                _ready.TrySetResult(message);
                break;
            case "failed":
                KeepError(message.GetProperty("message").GetString());
                _ready.TrySetException(Failed());
                break;
            default:
                _onEvent(message);
                break;
        }
    }

    private void KeepError(string? line)
    {
        lock (_errors)
        {
            if (line is not null && _errors.Length < 16_384)
            {
                _errors.AppendLine(line);
            }
        }
    }

    private CoveException Failed()
    {
        lock (_errors)
        {
            // One that says why will say so again. One that was killed, or got no processor, says nothing; that is no word about this host.
            var silent = _errors.Length == 0;
            var said = silent ? "it ended, or took too long, without a word" : _errors.ToString().Trim();
            const string Doctor = "`cove doctor`: it names what this host lacks and the command that fixes it.";
            return Unavailable("launcher_failed", $"The launcher did not start: {said}.", silent ? $"Try again; if it stays so, run {Doctor}" : $"Run {Doctor}", retryable: silent);
        }
    }
}
