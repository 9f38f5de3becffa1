using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Cove.Engine.Journal;
using Cove.Engine.Sandboxes;

namespace Cove.Tests.Support;

/// <summary>A Cove without sandboxes behind it: it remembers what was asked and answers what the test wants.</summary>
internal sealed class FakeCove : ICove
{
    public static readonly IsolationTier Tier = new() { Backend = "fake", Privilege = "root", Degraded = [] };

    public ConcurrentDictionary<SandboxId, SandboxInfo> Sandboxes { get; } = new();

    public ConcurrentDictionary<string, byte[]> Files { get; } = new();

    public ConcurrentQueue<string> Calls { get; } = new();

    public ConcurrentQueue<FakeTerminal> Terminals { get; } = new();

    public SandboxRequest? LastCreate { get; private set; }

    public RunRequest? LastRun { get; private set; }

    public FileWriteOptions? LastWrite { get; private set; }

    /// <summary>What a run does; the token is cancelled by its caller's cancellation and by an interrupt or kill of the run.</summary>
    public Func<FakeCoveRun, Task> Run { get; set; } = run => Task.CompletedTask;

    public TaskCompletionSource RunCancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>When set, reading a file claims this length.</summary>
    public long? ClaimedLength { get; set; }

    public IReadOnlyList<TemplateInfo> Templates { get; set; } =
    [
        new TemplateInfo
        {
            Name = "base",
            Description = "Nothing loaded.",
            Preload = [],
            Packages = new Dictionary<string, string> { ["numpy"] = "1.24.2" },
            Languages = new Dictionary<string, string> { ["python"] = "3.11.2" },
            Limits = new SandboxLimits(),
        },
    ];

    /// <summary>When set, deleting a sandbox waits for it.</summary>
    public Task Deleting { get; set; } = Task.CompletedTask;

    private readonly ConcurrentDictionary<RunId, FakeCoveRun> _runs = new();

    public Task<SandboxInfo> CreateSandboxAsync(SandboxRequest request, CancellationToken cancellationToken = default)
    {
        LastCreate = request;
        var info = new SandboxInfo
        {
            Id = SandboxId.New(),
            Template = request.Template,
            State = SandboxState.Ready,
            Limits = new SandboxLimits(),
            Isolation = Tier,
            Metadata = request.Metadata,
            CreatedAt = DateTimeOffset.UnixEpoch,
            ExpiresAt = DateTimeOffset.UnixEpoch + (request.MaxLifetime ?? TimeSpan.FromHours(1)),
            IdleTimeout = request.IdleTimeout ?? TimeSpan.FromMinutes(10),
        };
        Sandboxes[info.Id] = info;
        return Task.FromResult(info);
    }

    public Task<SandboxInfo> GetSandboxAsync(SandboxId sandbox, CancellationToken cancellationToken = default) => Task.FromResult(Known(sandbox));

    public Task<SandboxPage> ListSandboxesAsync(SandboxFilter? filter = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(SandboxListing.Page(Sandboxes.Values, filter ?? new SandboxFilter(), SandboxListing.Check(filter ?? new SandboxFilter())));

    public Task<SandboxInfo> ExtendSandboxAsync(SandboxId sandbox, SandboxExtension extension, CancellationToken cancellationToken = default)
    {
        var info = Known(sandbox);
        SandboxRules.Check(extension);
        return Task.FromResult(Sandboxes[sandbox] = info with
        {
            ExpiresAt = extension.Lifetime is { } lifetime ? DateTimeOffset.UnixEpoch + lifetime : info.ExpiresAt,
            IdleTimeout = extension.IdleTimeout ?? info.IdleTimeout,
        });
    }

    /// <summary>What happened to the sandboxes.</summary>
    public EventWindow<SandboxEvent> Happened { get; } = new(static e => e.Sequence, EventSize.Of);

    public IAsyncEnumerable<SandboxEvent> ReadSandboxEventsAsync(SandboxId sandbox, long after = 0, bool follow = false, CancellationToken cancellationToken = default)
    {
        Known(sandbox);
        return new JournalStream<SandboxEvent>(Happened, static e => e.Sequence, () => null, static _ => null, static (_, _) => true).ReadAsync(after, follow, cancellationToken);
    }

    public async Task DeleteSandboxAsync(SandboxId sandbox, CancellationToken cancellationToken = default)
    {
        Known(sandbox);
        await Deleting;
        Sandboxes.TryRemove(sandbox, out _);
    }

    public Task<SandboxUsage> GetUsageAsync(SandboxId sandbox, CancellationToken cancellationToken = default)
    {
        Known(sandbox);
        return Task.FromResult(new SandboxUsage { MemoryBytes = 5, CpuTime = TimeSpan.FromTicks(15_001), DiskBytes = 7, Inodes = 3 });
    }

    public async IAsyncEnumerable<RunEvent> RunAsync(SandboxId sandbox, RunRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Known(sandbox);
        var run = Begin(sandbox, request);
        await using var cancelled = cancellationToken.Register(() =>
        {
            RunCancelled.TrySetResult();
            run.Interrupt();
        });
        await foreach (var next in run.ReadAsync(0, CancellationToken.None))
        {
            yield return next;
        }

        await run.Work;
    }

    private FakeCoveRun Begin(SandboxId sandbox, RunRequest request)
    {
        Known(sandbox);
        LastRun = request;
        var run = new FakeCoveRun(request.Id ?? RunId.New(), sandbox, request);
        if (!_runs.TryAdd(run.Id, run))
        {
            throw Error("run_id_in_use", ErrorCategory.Conflict);
        }

        run.Begin(Run);
        return run;
    }

    private FakeCoveRun Known(SandboxId sandbox, RunId run)
    {
        Known(sandbox);
        return _runs.GetValueOrDefault(run) ?? throw Error("run_not_found", ErrorCategory.NotFound);
    }

    public Task<RunInfo> StartRunAsync(SandboxId sandbox, RunRequest request, CancellationToken cancellationToken = default) => Task.FromResult(Begin(sandbox, request).Info);

    public IAsyncEnumerable<RunEvent> ReadRunAsync(SandboxId sandbox, RunId run, long after = 0, CancellationToken cancellationToken = default) =>
        Known(sandbox, run).ReadAsync(after, cancellationToken);

    public Task<RunInfo> GetRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) => Task.FromResult(Known(sandbox, run).Info);

    public Task<IReadOnlyList<RunInfo>> ListRunsAsync(SandboxId sandbox, CancellationToken cancellationToken = default)
    {
        Known(sandbox);
        return Task.FromResult<IReadOnlyList<RunInfo>>([.. _runs.Values.Select(r => r.Info)]);
    }

    public Task WriteStdinAsync(SandboxId sandbox, RunId run, ReadOnlyMemory<byte> input, bool close = false, CancellationToken cancellationToken = default)
    {
        Calls.Enqueue($"stdin {System.Text.Encoding.UTF8.GetString(input.Span)} {close}");
        return Known(sandbox, run).Request.KeepStdinOpen ? Task.CompletedTask : throw Error("stdin_closed", ErrorCategory.Conflict);
    }

    public Task AnswerToolCallAsync(SandboxId sandbox, RunId run, string callId, HostAnswer answer, CancellationToken cancellationToken = default)
    {
        Calls.Enqueue($"answer {callId} {(answer.Error is { } error ? $"{error.Category} {error.Message}" : answer.Result.GetRawText())}");
        Known(sandbox, run).Answer(callId, answer);
        return Task.CompletedTask;
    }

    public Task InterruptRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default)
    {
        Calls.Enqueue("interrupt");
        Known(sandbox);
        _runs.GetValueOrDefault(run)?.Interrupt();
        return Task.CompletedTask;
    }

    public Task KillRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default)
    {
        Calls.Enqueue("kill");
        Known(sandbox);
        _runs.GetValueOrDefault(run)?.Kill();
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<KernelInfo>> ListKernelsAsync(SandboxId sandbox, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<KernelInfo>>([Kernel("python", Language.Python)]);

    public Task<KernelInfo> CreateKernelAsync(SandboxId sandbox, string kernel, Language language, CancellationToken cancellationToken = default) =>
        kernel == "python" ? throw Error("kernel_exists", ErrorCategory.Conflict) : Task.FromResult(Kernel(kernel, language));

    public Task<KernelInfo> RestartKernelAsync(SandboxId sandbox, string kernel, CancellationToken cancellationToken = default) =>
        kernel == "python" ? Task.FromResult(Kernel(kernel, Language.Python) with { Restarts = 1 }) : throw Error("kernel_not_found", ErrorCategory.NotFound);

    public Task DeleteKernelAsync(SandboxId sandbox, string kernel, CancellationToken cancellationToken = default) =>
        kernel == "python" ? Task.CompletedTask : throw Error("kernel_not_found", ErrorCategory.NotFound);

    public Task<Stream> ReadFileAsync(SandboxId sandbox, string path, FileRange? range = null, CancellationToken cancellationToken = default)
    {
        var content = Files.TryGetValue(path, out var found) ? found : throw Error("file_not_found", ErrorCategory.NotFound);
        if (range is { } part)
        {
            content = [.. content.Skip((int)part.Start).Take((int)(part.Length ?? int.MaxValue))];
        }

        return Task.FromResult<Stream>(ClaimedLength is { } length ? new Claiming(content, length) : new MemoryStream(content));
    }

    public async Task<FileEntry> WriteFileAsync(
        SandboxId sandbox, string path, Stream content, FileWriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        Known(sandbox);
        LastWrite = options;
        using var copy = new MemoryStream();
        await content.CopyToAsync(copy, cancellationToken);
        Files[path] = copy.ToArray();
        return Entry(path);
    }

    public Task<FileEntry> StatFileAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default) =>
        Files.ContainsKey(path) ? Task.FromResult(Entry(path)) : throw Error("file_not_found", ErrorCategory.NotFound);

    public Task<IReadOnlyList<FileEntry>> ListFilesAsync(SandboxId sandbox, string path, int depth = 1, CancellationToken cancellationToken = default)
    {
        Calls.Enqueue($"list {path} {depth}");
        return Task.FromResult<IReadOnlyList<FileEntry>>([.. Files.Keys.Order(StringComparer.Ordinal).Select(Entry)]);
    }

    public Task<FileEntry> MakeDirectoryAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default) =>
        Task.FromResult(new FileEntry { Path = path, Kind = FileKind.Directory, SizeBytes = 0, AllocatedBytes = 0, Mode = 0x1ED, ModifiedAt = DateTimeOffset.UnixEpoch });

    public Task<FileEntry> MoveFileAsync(SandboxId sandbox, string from, string to, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        Calls.Enqueue($"move {from} {to} {overwrite}");
        Files[to] = Files.TryRemove(from, out var content) ? content : throw Error("file_not_found", ErrorCategory.NotFound);
        return Task.FromResult(Entry(to));
    }

    /// <summary>What a watch tells after it has started; completing it ends the watch.</summary>
    public Channel<FileChange> Changes { get; } = Channel.CreateUnbounded<FileChange>();

    /// <summary>The archive that was written last.</summary>
    public byte[]? Archive { get; set; }

    public async IAsyncEnumerable<FileChange> WatchFilesAsync(
        SandboxId sandbox, string path, bool recursive = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Known(sandbox);
        Calls.Enqueue($"watch {path} {recursive}");
        yield return new FileChange { Kind = FileChangeKind.Started, Path = path };
        await foreach (var change in Changes.Reader.ReadAllAsync(cancellationToken))
        {
            yield return change;
        }
    }

    public Task<Stream> ReadArchiveAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        Known(sandbox);
        return Task.FromResult<Stream>(new MemoryStream(Archive ?? throw Error("not_found", ErrorCategory.NotFound)));
    }

    public async Task WriteArchiveAsync(SandboxId sandbox, string path, Stream archive, CancellationToken cancellationToken = default)
    {
        Known(sandbox);
        using var copy = new MemoryStream();
        await archive.CopyToAsync(copy, cancellationToken);
        Archive = copy.ToArray();
    }

    public Task<Terminal> OpenTerminalAsync(SandboxId sandbox, TerminalRequest request, CancellationToken cancellationToken = default)
    {
        Known(sandbox);
        var terminal = new FakeTerminal(request);
        Terminals.Enqueue(terminal);
        return request.Columns == 1000 ? throw Error("too_many_terminals", ErrorCategory.Limit) : Task.FromResult<Terminal>(terminal);
    }

    public Task RemoveFileAsync(SandboxId sandbox, string path, bool recursive = false, CancellationToken cancellationToken = default)
    {
        Calls.Enqueue($"remove {path} {recursive}");
        return Files.TryRemove(path, out _) ? Task.CompletedTask : throw Error("file_not_found", ErrorCategory.NotFound);
    }

    public Task<IReadOnlyList<TemplateInfo>> ListTemplatesAsync(CancellationToken cancellationToken = default) => Task.FromResult(Templates);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public static CoveException Error(string code, ErrorCategory category, bool retryable = false) => new(new RunError
    {
        Code = code,
        Category = category,
        Retryable = retryable,
        Message = $"It is {code}.",
        Remediation = "Do otherwise.",
        Evidence = new ErrorEvidence { Limit = "none", LimitValue = 42 },
    });

    private static KernelInfo Kernel(string id, Language language) => new() { Id = id, Language = language, Version = "3.11.2", Busy = false, Restarts = 0 };

    private SandboxInfo Known(SandboxId sandbox) => Sandboxes.TryGetValue(sandbox, out var info) ? info : throw Error("sandbox_not_found", ErrorCategory.NotFound);

    private FileEntry Entry(string path) => new()
    {
        Path = path,
        Kind = FileKind.File,
        SizeBytes = Files[path].Length,
        AllocatedBytes = 4096,
        Mode = LastWrite?.Mode ?? 0x1A4,
        ModifiedAt = DateTimeOffset.UnixEpoch,
    };

    /// <summary>A file that says it is longer (or shorter) than what can be read of it, as one does that changes meanwhile.</summary>
    private sealed class Claiming(byte[] content, long length) : MemoryStream(content)
    {
        public override long Length => length;
    }
}

/// <summary>A run in progress: the test emits its events.</summary>
internal sealed class FakeCoveRun(RunId id, SandboxId sandbox, RunRequest request)
{
    private readonly EventWindow<RunEvent> _events = new(static e => e.Sequence, EventSize.Of);
    private readonly TaskCompletionSource _interrupted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<HostAnswer>> _waiting = new();
    private long _sequence;
    private int _calls;

    public RunId Id => id;

    public RunRequest Request => request;

    public RunInfo Info { get; private set; } = null!;

    /// <summary>Its end, or what the test threw.</summary>
    public Task Work { get; private set; } = Task.CompletedTask;

    public Task Interrupted => _interrupted.Task;

    public Task Killed => _killed.Task;

    /// <summary>How it ends; null: without a completed event, as no engine does.</summary>
    public RunResult? Result { get; set; } = Ended(RunOutcome.Ok, 0);

    public void Interrupt() => _interrupted.TrySetResult();

    public void Kill() => _killed.TrySetResult();

    public void Begin(Func<FakeCoveRun, Task> work)
    {
        Emit(new RunStarted { Sequence = 0, Time = default, Run = id, Sandbox = sandbox, Kernel = "python" });
        Work = WorkAsync(work);
    }

    public IAsyncEnumerable<RunEvent> ReadAsync(long after, CancellationToken cancellationToken) =>
        new JournalStream<RunEvent>(_events, static e => e.Sequence, () => null, static _ => null, static (_, _) => true).ReadAsync(after, follow: true, cancellationToken);

    public void Emit(RunEvent next)
    {
        lock (_lock)
        {
            next = next with { Sequence = ++_sequence };
            Info = RunLog.Fold(_sequence == 1 ? null : Info, sandbox, id, next);
            _events.Append(next, last: false);
        }
    }

    /// <summary>Calls a tool and waits for the answer, as code in a kernel does.</summary>
    public async Task<HostAnswer> CallAsync(string name, string arguments)
    {
        var answered = new TaskCompletionSource<HostAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var callId = $"call_{Interlocked.Increment(ref _calls)}";
        _waiting[callId] = answered;
        Emit(new RunToolCall { Sequence = 0, Time = default, CallId = callId, Name = name, Arguments = System.Text.Json.JsonDocument.Parse(arguments).RootElement });
        return await answered.Task;
    }

    public void Answer(string callId, HostAnswer answer)
    {
        var waiting = _waiting.TryRemove(callId, out var found) ? found : throw FakeCove.Error("tool_call_not_found", ErrorCategory.NotFound);
        Emit(new RunToolAnswered { Sequence = 0, Time = default, CallId = callId, Error = answer.Error, Waited = TimeSpan.FromMilliseconds(2) });
        waiting.SetResult(answer);
    }

    public void Print(string text, OutputStream stream = OutputStream.Stdout) => Emit(new RunOutput { Sequence = 0, Time = default, Stream = stream, Text = text });

    public void Show(bool isResult, params (string Type, string Content)[] data) =>
        Emit(new RunDisplay { Sequence = 0, Time = default, IsResult = isResult, Data = data.ToDictionary(d => d.Type, d => d.Content) });

    private async Task WorkAsync(Func<FakeCoveRun, Task> work)
    {
        try
        {
            await work(this);
            if (Result is not null)
            {
                Emit(new RunCompleted { Sequence = 0, Time = default, Result = Result });
            }
        }
        finally
        {
            _events.End();
        }
    }

    public static RunResult Ended(RunOutcome outcome, int? exitCode, RunError? error = null) => new()
    {
        Outcome = outcome,
        ExitCode = exitCode,
        Error = error,
        Duration = TimeSpan.FromMilliseconds(1.5),
        Isolation = FakeCove.Tier,
    };
}
