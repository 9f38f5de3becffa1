using System.Collections.Frozen;
using Cove.Agent.Tools;
using Microsoft.Extensions.Logging;

namespace Cove.Agent.HostCalls;

/// <summary>The tool calls of one run, answered as they come.</summary>
internal sealed class BridgedRun(ICove cove, SandboxId sandbox, string? correlationId, FrozenDictionary<string, BridgedTool> tools, ToolBridgeOptions options, Action<HostCallRecord>? heard, ILogger logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly SemaphoreSlim _turns = new(options.MaxParallel, options.MaxParallel);
    private readonly List<Task> _answers = [];
    private RunStarted? _started;

    public void Hear(RunEvent next)
    {
        switch (next)
        {
            case RunStarted started:
                _started = started;
                break;
            case RunToolCall call when _started is not null:
                _answers.RemoveAll(a => a.IsCompleted);
                _answers.Add(AnswerAsync(new HostCall
                {
                    Sandbox = sandbox, Run = _started.Run, CallId = call.CallId, Tool = call.Name, Arguments = call.Arguments, CorrelationId = _started.CorrelationId ?? correlationId,
                }));
                break;
        }
    }

    /// <summary>Nobody waits for answers any more: calls in progress are cancelled. A tool that does not listen is left to itself.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await Task.WhenAll(_answers);
        _ended.Dispose();
        _turns.Dispose();
    }

    /// <summary>Never throws: nobody would hear it.</summary>
    private async Task AnswerAsync(HostCall call)
    {
        var begun = options.Time.GetTimestamp();
        var answer = await CallAsync(call);
        try
        {
            answer = await SendAsync(call, answer);
        }
        catch (Exception failure)
        {
            logger.AnswerNotTaken(call.Tool, call.CallId, call.Run, failure is CoveException { Error.Code: var code } ? code : failure.GetType().Name);
        }

        var took = options.Time.GetElapsedTime(begun);
        logger.ToolCalled(call.Tool, call.CallId, call.Run, answer.Error?.Category ?? "ok", took.TotalMilliseconds);
        Note(new HostCallRecord(call, answer.Error, took));
    }

    private void Note(HostCallRecord record)
    {
        try
        {
            options.Audit?.Invoke(record);
            heard?.Invoke(record);
        }
        catch (Exception failure)
        {
            logger.AuditFailed(failure, record.Call.Tool, record.Call.CallId, record.Call.Run);
        }
    }

    private async Task<HostAnswer> SendAsync(HostCall call, HostAnswer answer)
    {
        try
        {
            await cove.AnswerToolCallAsync(call.Sandbox, call.Run, call.CallId, answer, _ended.Token);
            return answer;
        }
        catch (CoveException refused) when (refused.Error.Code == "invalid_request")
        {
            var instead = HostAnswer.Failed("output_limit", $"The tool's result can't be handed over: {refused.Error.Message} Ask it for less.");
            await cove.AnswerToolCallAsync(call.Sandbox, call.Run, call.CallId, instead, _ended.Token);
            return instead;
        }
    }

    private async Task<HostAnswer> CallAsync(HostCall call)
    {
        try
        {
            await _turns.WaitAsync(_ended.Token);
        }
        catch (OperationCanceledException)
        {
            return HostAnswer.Failed("interrupted", "The run ended before the tool was called.");
        }

        try
        {
            return !tools.TryGetValue(call.Tool, out var tool) ? HostAnswer.Failed("not_found", $"There is no tool '{call.Tool}'.")
                : tool.Faults(call.Arguments) is { Count: > 0 } faults ? HostAnswer.Failed("input", $"The arguments of '{call.Tool}' are not what it takes: {string.Join("; ", faults)}.", retryable: true)
                : await DeniedAsync(call) ?? await InvokeAsync(tool, call);
        }
        finally
        {
            _turns.Release();
        }
    }

    private async Task<HostAnswer?> DeniedAsync(HostCall call)
    {
        if (options.Approve is not { } approve)
        {
            return null;
        }

        using var over = new CancellationTokenSource(options.ApprovalTimeout, options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(over.Token, _ended.Token);
        try
        {
            var decision = await Task.Run(() => approve(call, both.Token).AsTask(), both.Token).WaitAsync(both.Token);
            return decision.Allowed ? null : HostAnswer.Failed("policy", decision.Reason ?? $"The call of '{call.Tool}' was not approved.");
        }
        catch (Exception failure)
        {
            logger.NotApproved(call.Tool, call.CallId, call.Run, failure.GetType().Name);
            return HostAnswer.Failed("policy", $"The call of '{call.Tool}' was not approved: nobody answered.");
        }
    }

    private async Task<HostAnswer> InvokeAsync(BridgedTool tool, HostCall call)
    {
        using var over = new CancellationTokenSource(options.CallTimeout, options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(over.Token, _ended.Token);
        try
        {
            // On its own, with the limit outside: one that works without awaiting, or does not listen to its token, keeps nobody waiting.
            return await Task.Run(() => tool.CallAsync(call, both.Token), both.Token).WaitAsync(both.Token);
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            return HostAnswer.Failed("interrupted", "The run ended while the tool was at work.");
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            return HostAnswer.Failed("timeout", $"The tool '{call.Tool}' did not answer within {options.CallTimeout.TotalSeconds:0.###} s.", retryable: true);
        }
        catch (Exception failure)
        {
            // What it says may hold addresses, paths and secrets of the host: the log has it, the guest does not.
            logger.ToolFailed(failure, call.Tool, call.CallId, call.Run);
            return ToolAnswers.Of(ToolErrors.Of(failure));
        }
    }
}
