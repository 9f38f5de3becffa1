using System.Runtime.CompilerServices;
using Cove.Server.Bounds;

namespace Cove.Server.Access.Tenancy;

internal sealed partial class ProjectCove
{
    public async IAsyncEnumerable<RunEvent> RunAsync(SandboxId sandbox, RunRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var owned = await OpenAsync(sandbox);
        await AdmitWorkAsync();
        Owned.Pending? pending = null;
        RunId run = default;
        var input = HoldInput(request);
        try
        {
            await foreach (var next in _engine.RunAsync(sandbox, request, cancellationToken))
            {
                if (next is RunStarted started)
                {
                    (run, pending) = (started.Run, Begin(owned, started.Run, request, input));
                }
                else if (next is RunCompleted completed)
                {
                    await CompleteAsync(owned, run, pending, completed.Result);
                    pending = null;
                }

                yield return next;
            }
        }
        finally
        {
            if (pending is not null)
            {
                await ledger.AwaitAsync(owned, run, pending); // left before its end
            }
            else
            {
                input?.Dispose(); // refused, or noted already
            }
        }
    }

    public async Task<RunInfo> StartRunAsync(SandboxId sandbox, RunRequest request, CancellationToken cancellationToken = default)
    {
        var owned = await OpenAsync(sandbox);
        await AdmitWorkAsync();
        var input = HoldInput(request);
        try
        {
            var info = await _engine.StartRunAsync(sandbox, request, cancellationToken);
            await ledger.AwaitAsync(owned, info.Id, Begin(owned, info.Id, request, input));
            return info;
        }
        catch
        {
            input?.Dispose();
            throw;
        }
    }

    public async IAsyncEnumerable<RunEvent> ReadRunAsync(SandboxId sandbox, RunId run, long after = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var owned = await KnowAsync(sandbox);
        note.Run = run.Value;
        await foreach (var next in _engine.ReadRunAsync(sandbox, run, after, cancellationToken))
        {
            if (next is RunCompleted completed && owned?.Settle(run) is { } pending)
            {
                await CompleteAsync(owned, run, pending, completed.Result);
            }

            yield return next;
        }
    }

    public async Task<RunInfo> GetRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default)
    {
        await KnowAsync(sandbox);
        note.Run = run.Value;
        return await _engine.GetRunAsync(sandbox, run, cancellationToken);
    }

    public async Task<IReadOnlyList<RunInfo>> ListRunsAsync(SandboxId sandbox, CancellationToken cancellationToken = default)
    {
        await KnowAsync(sandbox);
        return await _engine.ListRunsAsync(sandbox, cancellationToken);
    }

    public async Task WriteStdinAsync(SandboxId sandbox, RunId run, ReadOnlyMemory<byte> input, bool close = false, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        note.Run = run.Value;
        await _engine.WriteStdinAsync(sandbox, run, input, close, cancellationToken);
    }

    public async Task AnswerToolCallAsync(SandboxId sandbox, RunId run, string callId, HostAnswer answer, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        note.Run = run.Value;
        await _engine.AnswerToolCallAsync(sandbox, run, callId, answer, cancellationToken);
    }

    public async Task<Terminal> OpenTerminalAsync(SandboxId sandbox, TerminalRequest request, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        await AdmitWorkAsync();
        return await _engine.OpenTerminalAsync(sandbox, request, cancellationToken);
    }

    public async Task InterruptRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        note.Run = run.Value;
        await _engine.InterruptRunAsync(sandbox, run, cancellationToken);
    }

    public async Task KillRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        note.Run = run.Value;
        await _engine.KillRunAsync(sandbox, run, cancellationToken);
    }

    public async Task<IReadOnlyList<KernelInfo>> ListKernelsAsync(SandboxId sandbox, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        return await _engine.ListKernelsAsync(sandbox, cancellationToken);
    }

    public async Task<KernelInfo> CreateKernelAsync(SandboxId sandbox, string kernel, Language language, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        await AdmitWorkAsync();
        return await _engine.CreateKernelAsync(sandbox, kernel, language, cancellationToken);
    }

    public async Task<KernelInfo> RestartKernelAsync(SandboxId sandbox, string kernel, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        await AdmitWorkAsync();
        return await _engine.RestartKernelAsync(sandbox, kernel, cancellationToken);
    }

    public async Task DeleteKernelAsync(SandboxId sandbox, string kernel, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        await _engine.DeleteKernelAsync(sandbox, kernel, cancellationToken);
    }

    /// <summary>A large input stays in memory for as long as its program takes to read it, or does not.</summary>
    private HeldBytes? HoldInput(RunRequest request)
    {
        if (held is null || request.Stdin is not { Length: > BoundedBody.FreeBytes } stdin)
        {
            return null;
        }

        var input = new HeldBytes(held);
        input.Grow(stdin.Length);
        return input;
    }

    private Owned.Pending Begin(Owned owned, RunId run, RunRequest request, HeldBytes? input)
    {
        note.Run = run.Value;
        owned.NoteRun(run);
        return new Owned.Pending(key, request.Code is not null ? "code" : "command", _state.Time.GetUtcNow(), input);
    }

    private async ValueTask CompleteAsync(Owned owned, RunId run, Owned.Pending? pending, RunResult result)
    {
        note.Outcome = System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(result.Outcome.ToString());
        if (pending is not null)
        {
            await ledger.NoteRunAsync(owned, run, pending, result);
            await ledger.ChargeWallTimeAsync(owned, result.Duration);
        }
    }
}
