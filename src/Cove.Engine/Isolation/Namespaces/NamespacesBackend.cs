using System.Collections.Concurrent;
using System.Text.Json;
using Cove.Engine.Templates;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>
/// Cells drawn with Linux namespaces, control groups, Landlock and seccomp. This process draws none of it: a .NET process has several threads
/// before Main runs, and the kernel refuses a user namespace to such. The launcher does (guest/python), at this class's request.
/// </summary>
internal sealed class NamespacesBackend : IIsolationBackend
{
    private static readonly HashSet<string> _optional = ["memory", "cpu", "pids", "landlock", "ids"];

    private readonly NamespacesOptions _options;
    private readonly TimeProvider _time;
    private readonly Reactor _reactor = new();
    private readonly ConcurrentDictionary<long, NamespaceProcess> _processes = new();
    private readonly ConcurrentDictionary<string, NamespaceCell> _cells = new();
    private readonly ConcurrentDictionary<string, PreparedTemplate> _prepared = new();
    private readonly SemaphoreSlim _starting = new(1, 1);
    private LauncherProcess? _launcher;
    private IsolationTier? _tier;
    private bool _disposed;

    public NamespacesBackend(NamespacesOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
    }

    public BackendCapabilities Capabilities { get; } = new() { Name = "namespaces", Fork = ForkCapability.None, Pause = false };

    public IsolationTier Tier => _tier ?? throw new InvalidOperationException("The backend was not started.");

    internal Reactor Reactor => _reactor;

    public Task StartAsync(CancellationToken cancellationToken) => LauncherAsync(cancellationToken);

    public async Task<TemplateFacts> PrepareAsync(Template template, CancellationToken cancellationToken)
    {
        var prepared = _prepared.GetOrAdd(template.Name, _ => new PreparedTemplate(template));
        await prepared.Gate.WaitAsync(cancellationToken);
        try
        {
            return await LoadAsync(prepared, await LauncherAsync(cancellationToken), cancellationToken);
        }
        finally
        {
            prepared.Gate.Release();
        }
    }

    public Task<Cell> StartCellAsync(Template template, SandboxLimits limits, CancellationToken cancellationToken) =>
        WithZygoteAsync(template, () => DrawCellAsync(template, limits, cancellationToken), cancellationToken);

    private async Task<Cell> DrawCellAsync(Template template, SandboxLimits limits, CancellationToken cancellationToken)
    {
        var launcher = await LauncherAsync(cancellationToken);
        var cell = new NamespaceCell(this, launcher.Link, SandboxId.New().Value, template);
        _cells[cell.Name] = cell;
        try
        {
            await cell.StartAsync(limits, cancellationToken);
            return cell;
        }
        catch
        {
            await cell.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _starting.WaitAsync();
        try
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            if (_launcher is not null)
            {
                await _launcher.DisposeAsync();
            }

            _reactor.Dispose();
        }
        finally
        {
            _starting.Release();
        }
    }

    internal NamespaceProcess AddProcess(NamespaceCell cell, IFrameLink? control)
    {
        // Drawn, not counted: a kernel finds its number in the memory it has from its zygote, and shall not learn from it how many there are.
        var process = new NamespaceProcess(Random.Shared.NextInt64(1, 1L << 53), control) { Cell = cell };
        _processes[process.Id] = process;
        return process;
    }

    internal void ForgetProcess(NamespaceProcess process) => _processes.TryRemove(process.Id, out _);

    internal void ForgetCell(NamespaceCell cell) => _cells.TryRemove(cell.Name, out _);

    /// <summary>
    /// Does what needs the template's zygote. One that ended is replaced first, so that cells which outlived it get kernels again; one that
    /// ends meanwhile is replaced once, and a second one in a row is a fault to be told.
    /// </summary>
    internal async Task<T> WithZygoteAsync<T>(Template template, Func<Task<T>> action, CancellationToken cancellationToken)
    {
        await ReadyTemplateAsync(template, await LauncherAsync(cancellationToken), cancellationToken);
        try
        {
            return await action();
        }
        catch (CoveException exception) when (exception.Error.Code == "zygote_gone")
        {
            await ReadyTemplateAsync(template, await LauncherAsync(cancellationToken), cancellationToken);
            return await action();
        }
    }

    /// <summary>Counts a kernel against its template's zygote and has the zygote replaced when it made its share, off the caller's path.</summary>
    internal void CountKernel(Template template)
    {
        if (_prepared.TryGetValue(template.Name, out var prepared) && prepared.CountChild() == template.ZygoteChildren)
        {
            _ = ReplaceAsync(prepared);
        }
    }

    private async Task ReplaceAsync(PreparedTemplate prepared)
    {
        try
        {
            await PrepareAsync(prepared.Template, CancellationToken.None);
        }
        catch (Exception error) when (error is CoveException or CellGoneException or OperationCanceledException or ObjectDisposedException)
        {
            prepared.Loaded = null; // the next cell of this template tries again and tells its caller what is wrong
        }
    }

    private async Task ReadyTemplateAsync(Template template, LauncherProcess launcher, CancellationToken cancellationToken)
    {
        var prepared = _prepared.GetOrAdd(template.Name, _ => new PreparedTemplate(template));
        if (ReferenceEquals(prepared.Loaded, launcher))
        {
            return;
        }

        await prepared.Gate.WaitAsync(cancellationToken);
        try
        {
            if (!ReferenceEquals(prepared.Loaded, launcher))
            {
                await LoadAsync(prepared, launcher, cancellationToken);
            }
        }
        finally
        {
            prepared.Gate.Release();
        }
    }

    private async Task<TemplateFacts> LoadAsync(PreparedTemplate prepared, LauncherProcess launcher, CancellationToken cancellationToken)
    {
        var template = prepared.Template;
        if (template.HasOwnRoot && !_options.TemplateRoots.ContainsKey(template.Name))
        {
            throw Refusals.RootNotBuilt(template);
        }

        JsonElement answer;
        try
        {
            answer = await launcher.Link.AskAsync("template", json => Write(json, template), [], cancellationToken);
        }
        catch (LauncherRefusedException refusal)
        {
            throw new CoveException(new RunError
            {
                Code = "template_failed", Category = ErrorCategory.Infrastructure, Retryable = false,
                Message = $"Template {template.Name} could not be loaded: {refusal.Message}.",
                Remediation = "Install what it preloads, or take a module out of its `preload` list; `cove doctor` says which are missing.",
            });
        }

        prepared.Loaded = launcher;
        prepared.ResetChildren();
        var languages = Strings(answer, "languages");
        languages["python"] = answer.GetProperty("python").GetString() ?? "";
        return new TemplateFacts { Packages = Strings(answer, "packages"), Languages = languages };
    }

    private static void Write(Utf8JsonWriter json, Template template)
    {
        json.WriteString("template", template.Name);
        json.WriteNumber("memory_bytes", template.Limits.MemoryBytes);
        json.WriteBoolean("own_root", template.HasOwnRoot);
        LauncherJson.WriteStrings(json, "preload", template.Preload);
        LauncherJson.WriteStrings(json, "packages", template.Packages);
        LauncherJson.WriteStrings(json, "files", template.Files);
    }

    private static Dictionary<string, string> Strings(JsonElement answer, string field) =>
        answer.GetProperty(field).EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "");

    private async Task<LauncherProcess> LauncherAsync(CancellationToken cancellationToken)
    {
        if (_launcher is { } running && !running.Link.Closed.IsCompleted)
        {
            return running;
        }

        await _starting.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_launcher is null || _launcher.Link.Closed.IsCompleted)
            {
                if (_launcher is not null)
                {
                    await _launcher.DisposeAsync();
                    _launcher = null;
                }

                var launcher = await LauncherProcess.StartAsync(_options, _reactor, OnEvent, _time, cancellationToken);
                await JudgeAsync(launcher);
                _launcher = launcher;
                _ = WatchAsync(launcher);
            }

            return _launcher;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Whom this process may become once it needs no power of its own any more; null where it was not started as root.</summary>
    public int? ServiceId { get; private set; }

    /// <summary>Refuses to go on where a promised protection is missing and was not allowed to be by name.</summary>
    private async Task JudgeAsync(LauncherProcess launcher)
    {
        var missing = launcher.Ready.GetProperty("missing").EnumerateArray().Select(m => m.GetString() ?? "").ToList();
        // Without a pids group the per-user-namespace RLIMIT_NPROC holds; it binds per cell, so nothing promised is lost.
        missing.Remove("pids");
        var refused = missing.Where(m => !IsAllowed(m)).ToList();
        if (refused.Count > 0)
        {
            await launcher.DisposeAsync();
            var names = string.Join(",", refused);
            throw new CoveException(new RunError
            {
                Code = "protection_unavailable", Category = ErrorCategory.Infrastructure, Retryable = false,
                Message = $"This host does not offer: {string.Join(", ", refused.Select(Explain))}.",
                Remediation = $"Run `sudo ./cove doctor --fix`, or accept sandboxes without it: `--allow-degraded {names}`.",
            });
        }

        var tier = new IsolationTier { Backend = "namespaces", Privilege = launcher.Ready.GetProperty("privilege").GetString() ?? "", Degraded = missing };
        if (_tier is { } before && (before.Privilege != tier.Privilege || !before.Degraded.SequenceEqual(tier.Degraded)))
        {
            // An engine that gave up its privilege cannot start a second launcher like the first: say so, do not carry on with less.
            await launcher.DisposeAsync();
            throw new CoveException(new RunError
            {
                Code = "launcher_lost", Category = ErrorCategory.Infrastructure, Retryable = false,
                Message = $"The launcher ended, and a new one would reach {tier.Privilege} instead of {before.Privilege}.",
                Remediation = "Restart the engine; `cove engine stop` ends a background one and the next command starts it anew.",
            });
        }

        _tier = tier;
        ServiceId = LauncherJson.Number(launcher.Ready, "service_id");
    }

    /// <summary>Who allows both memory and cpu to be missing accepts the bare tier as a whole; its shared host id is part of it.</summary>
    private bool IsAllowed(string name) =>
        _options.AllowDegraded.Contains(name) || (name == "ids" && _options.AllowDegraded.Contains("memory") && _options.AllowDegraded.Contains("cpu"));

    private static string Explain(string name) => name switch
    {
        "memory" => "memory (a limit on a sandbox's whole memory: no control group can be made)",
        "cpu" => "cpu (a limit on a sandbox's processor time: no control group can be made)",
        "ids" => "ids (a host id for each sandbox: no subordinate ids, or no newuidmap)",
        "landlock" => "landlock (the kernel's Landlock is missing or off)",
        _ => _optional.Contains(name) ? name : $"{name} (unknown)",
    };

    private async Task WatchAsync(LauncherProcess launcher)
    {
        await launcher.Link.Closed;
        // Everything the launcher started died with it.
        foreach (var cell in _cells.Values.Where(c => c.IsOf(launcher.Link)))
        {
            cell.Die(new CellExit(ByBackendFailure: true, "the launcher ended"));
            cell.BeFreed();
        }

        foreach (var process in _processes.Values.Where(p => p.Cell.IsOf(launcher.Link)))
        {
            process.End(new ProcessExit(null, null));
        }
    }

    private void OnEvent(JsonElement message)
    {
        switch (message.GetProperty("event").GetString())
        {
            case "exit" when _processes.TryRemove(message.GetProperty("process").GetInt64(), out var process):
                process.End(new ProcessExit(LauncherJson.Number(message, "code"), LauncherJson.Number(message, "signal")));
                break;
            case "cell_died" when _cells.TryGetValue(message.GetProperty("cell").GetString() ?? "", out var cell):
                cell.Die(new CellExit(ByBackendFailure: false, null));
                break;
            case "cell_freed" when _cells.TryGetValue(message.GetProperty("cell").GetString() ?? "", out var freed):
                freed.BeFreed();
                break;
            case "zygote_gone" when _prepared.TryGetValue(message.GetProperty("template").GetString() ?? "", out var prepared):
                prepared.Loaded = null;
                break;
            default:
                break;
        }
    }

    private sealed class PreparedTemplate(Template template)
    {
        private int _children;

        public Template Template { get; } = template;

        public SemaphoreSlim Gate { get; } = new(1, 1);

        /// <summary>The launcher whose zygote holds the modules; null when none does.</summary>
        public LauncherProcess? Loaded { get; set; }

        public int CountChild() => Interlocked.Increment(ref _children);

        public void ResetChildren() => Volatile.Write(ref _children, 0);
    }
}
