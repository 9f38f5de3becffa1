using System.Diagnostics;
using System.Text.Json;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Loop;

/// <summary>Does the calls of one answer side by side and answers every one of them, in order, whatever becomes of it.</summary>
internal sealed class ToolCalls(IReadOnlyList<AITool> tools, AgentOptions options, string correlationId, Action<AgentEvent> tell)
{
    private readonly Dictionary<string, AIFunction> _functions = Known(tools);

    /// <summary>The results, in the order of the calls.</summary>
    /// <param name="calls">What the model asked for.</param>
    /// <param name="cut">Whether the answer was cut while it wrote the last of them.</param>
    /// <param name="deadline">Cancelled when the time for tools is over.</param>
    /// <param name="cancellationToken">Cancelled when the caller interrupts.</param>
    public async Task<IReadOnlyList<(ToolCall Call, ToolResult Result)>> RunAsync(
        IReadOnlyList<FunctionCallContent> calls, bool cut, CancellationToken deadline, CancellationToken cancellationToken)
    {
        using var places = new SemaphoreSlim(options.MaxParallelCalls);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline, cancellationToken);
        var judged = new List<(ToolCall Call, ToolResult? Refusal)>(calls.Count);
        for (var i = 0; i < calls.Count; i++)
        {
            // All are judged before the first one runs: whoever is asked for an approval is not interrupted by output.
            var call = Call(calls[i]);
            var isCut = cut && i == calls.Count - 1 && (calls[i].Exception is not null || calls[i].Arguments is null or { Count: 0 });
            judged.Add((call, await RefusalAsync(call, calls[i], isCut, i, either.Token)));
        }

        return await Task.WhenAll(judged.Select(one => one.Refusal is { } refusal
            ? Task.FromResult(Ended(null, one.Call, refusal, TimeSpan.Zero, ran: false))
            : Task.Run(() => DoAsync(one.Call, places, deadline, either.Token), CancellationToken.None)));
    }

    /// <summary>Answers calls that are not done, so that the conversation stays whole.</summary>
    public static IReadOnlyList<FunctionResultContent> NotDone(IEnumerable<FunctionCallContent> calls, ToolErrorCategory category, string why) =>
        [.. calls.Select(call => CallResult.Of(call.CallId, Refused(category, false, why, "Nothing of this call was done."), int.MaxValue))];

    private static Dictionary<string, AIFunction> Known(IReadOnlyList<AITool> tools)
    {
        var known = new Dictionary<string, AIFunction>();
        foreach (var function in tools.OfType<AIFunction>())
        {
            if (!known.TryAdd(function.Name, function))
            {
                throw new ArgumentException($"Two tools are called '{function.Name}'. Give each tool a name of its own.", nameof(tools));
            }
        }

        return known;
    }

    private ToolCall Call(FunctionCallContent call) => new()
    {
        Id = call.CallId,
        Name = call.Name,
        Input = call.Arguments is { } arguments ? ToolInput.From(arguments) : JsonElement.Parse("{}"),
        CorrelationId = correlationId,
        Output = piece => tell(new ToolWrote(call.CallId, piece)),
        HostCalled = record => tell(new HostToolCalled(call.CallId, record)),
    };

    /// <summary>Why a call is not done; null when it is.</summary>
    private async Task<ToolResult?> RefusalAsync(ToolCall call, FunctionCallContent asked, bool cut, int position, CancellationToken cancellationToken)
    {
        tell(new ToolStarted(call));
        if (cut)
        {
            return Refused(ToolErrorCategory.Input, true, "Your answer reached its most tokens before this call was written to its end; nothing was run.", "Write less at once: shorter code, in steps.");
        }

        if (asked.Exception is { } unreadable)
        {
            return Refused(ToolErrorCategory.Input, true, $"The call's input is no JSON object: {unreadable.Message}", "Write the input as one JSON object that fits the tool's schema.");
        }

        if (position >= options.MaxCallsPerTurn)
        {
            return Refused(ToolErrorCategory.Budget, true, $"At most {options.MaxCallsPerTurn} calls of one answer are done.", "Make the call again in your next answer, if it is still needed.");
        }

        if (!_functions.TryGetValue(call.Name, out var function))
        {
            return Refused(ToolErrorCategory.NotFound, false, $"There is no tool '{call.Name}'.", $"Use one of: {string.Join(", ", _functions.Keys.Order(StringComparer.Ordinal))}.");
        }

        return await CallJudgement.RefusalAsync(call, function, options, cancellationToken) is { } refusal ? ToolResult.Failed(refusal) : null;
    }

    private async Task<(ToolCall, ToolResult)> DoAsync(ToolCall call, SemaphoreSlim places, CancellationToken deadline, CancellationToken cancellationToken)
    {
        var began = options.Time.GetTimestamp();
        using var activity = AgentMeter.StartTool(call.Name);
        var held = false;
        var heard = new HeardOutput();
        ToolResult result;
        try
        {
            await places.WaitAsync(cancellationToken);
            held = true;
            var work = InvokeAsync(_functions[call.Name], Heard(call, heard), cancellationToken);
            result = await EndedAsync(work, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            result = deadline.IsCancellationRequested
                ? Refused(ToolErrorCategory.Budget, false, "The wall time of the whole run is over; the call was interrupted.", "Answer with what you have.")
                : Refused(ToolErrorCategory.Interrupted, false, "The user interrupted it.", "");
            result = result with { Content = [.. result.Content, .. heard.Contents()] };
        }
        catch (Exception failure)
        {
            result = Refused(ToolErrorCategory.Exception, false, $"The tool failed: {failure.GetType().Name}: {failure.Message}", "Try another way; this is not your input's doing unless the message says so.");
        }
        finally
        {
            if (held)
            {
                places.Release();
            }
        }

        return Ended(activity, call, result, options.Time.GetElapsedTime(began), ran: true);
    }

    private static ToolCall Heard(ToolCall call, HeardOutput heard) => call with
    {
        Output = piece =>
        {
            heard.Add(piece);
            call.Output?.Invoke(piece);
        },
    };

    private static async Task<ToolResult> InvokeAsync(AIFunction function, ToolCall call, CancellationToken cancellationToken)
    {
        if (function is AgentTool tool)
        {
            return await tool.CallAsync(call, cancellationToken);
        }

        var arguments = new AIFunctionArguments();
        foreach (var property in call.Input.EnumerateObject())
        {
            arguments[property.Name] = property.Value;
        }

        return CallResult.From(await function.InvokeAsync(arguments, cancellationToken));
    }

    /// <summary>A tool that does not end though it was interrupted is left behind after a grace.</summary>
    private async Task<ToolResult> EndedAsync(Task<ToolResult> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && !work.IsCompleted)
        {
            try
            {
                return await work.WaitAsync(options.CancellationGrace, options.Time, CancellationToken.None);
            }
            catch (TimeoutException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw;
            }
        }
    }

    private (ToolCall Call, ToolResult Result) Ended(Activity? activity, ToolCall call, ToolResult result, TimeSpan duration, bool ran)
    {
        // A name that no tool has is the model's invention, and no label.
        AgentMeter.ToolEnded(activity, _functions.ContainsKey(call.Name) ? call.Name : null, ran && options.CodeTools.Contains(call.Name), result.Error);
        tell(new ToolEnded(call, result, duration));
        return (call, result);
    }

    private static ToolResult Refused(ToolErrorCategory category, bool retryable, string context, string remediation) =>
        ToolResult.Failed(new ToolError { ErrorCategory = category, IsRetryable = retryable, Context = context, Remediation = remediation });
}
