using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Cove.Wire;

namespace Cove.Client;

public sealed partial class CoveClient
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<RunEvent> RunAsync(
        SandboxId sandbox, RunRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // The id is chosen here so that the run can be interrupted before its first event has arrived.
        request = request.Id is null ? request with { Id = RunId.New() } : request;
        await using var run = new RunStream(this, _options, sandbox, request, cancellationToken);
        while (await run.NextAsync() is { } next)
        {
            yield return next;
        }
    }

    /// <inheritdoc/>
    public Task<RunInfo> StartRunAsync(SandboxId sandbox, RunRequest request, CancellationToken cancellationToken = default) => CreateAsync(
        Of(sandbox) + "/runs?background=true", Body(request, CoveJson.Wire.RunRequest), CoveJson.Wire.RunInfo, cancellationToken);

    /// <inheritdoc/>
    /// <remarks>A stream that breaks is taken up again after its last event, for as long as <see cref="CoveClientOptions.ResumeLimit"/> says.</remarks>
    public IAsyncEnumerable<RunEvent> ReadRunAsync(SandboxId sandbox, RunId run, long after = 0, CancellationToken cancellationToken = default) =>
        new Following<RunEvent>(this, _options, last => Events(sandbox, run, last), CoveJson.Wire.RunEvent, static e => e.Sequence, static e => e is RunCompleted)
            .ReadAsync(after, cancellationToken);

    /// <inheritdoc/>
    public Task<RunInfo> GetRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Get, Of(sandbox, run), null, CoveJson.Wire.RunInfo, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RunInfo>> ListRunsAsync(SandboxId sandbox, CancellationToken cancellationToken = default) =>
        (await SendAsync(HttpMethod.Get, Of(sandbox) + "/runs", null, CoveJson.Wire.RunList, cancellationToken)).Runs;

    /// <inheritdoc/>
    public Task WriteStdinAsync(SandboxId sandbox, RunId run, ReadOnlyMemory<byte> input, bool close = false, CancellationToken cancellationToken = default)
    {
        var body = new ReadOnlyMemoryContent(input);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return SendAsync(HttpMethod.Post, Of(sandbox, run) + "/stdin?close=" + Text(close), body, cancellationToken);
    }

    /// <inheritdoc/>
    public Task AnswerToolCallAsync(SandboxId sandbox, RunId run, string callId, HostAnswer answer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var results = new ToolResults { Results = [new ToolCallAnswer { CallId = callId, Result = answer.Result, Error = answer.Error }] };
        return SendAsync(HttpMethod.Post, Of(sandbox, run) + "/tool-results?wait=false", Body(results, CoveJson.Wire.ToolResults), cancellationToken);
    }

    /// <inheritdoc/>
    public Task InterruptRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Post, Of(sandbox, run) + "/interrupt", null, cancellationToken);

    /// <inheritdoc/>
    public Task KillRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Post, Of(sandbox, run) + "/kill", null, cancellationToken);

    /// <summary>Sends a run; the answer's events are still to be read.</summary>
    internal async Task<EventLines> OpenRunAsync(SandboxId sandbox, RunRequest request, CancellationToken cancellationToken)
    {
        var path = Of(sandbox) + "/runs?on_disconnect=" + (_options.InterruptsOnDisconnect ? "interrupt" : "keep");
        return await OpenAsync(HttpMethod.Post, path, Body(request, CoveJson.Wire.RunRequest), cancellationToken);
    }

    /// <summary>Takes up a run's events after one.</summary>
    internal Task<EventLines> ResumeRunAsync(SandboxId sandbox, RunId run, long after, CancellationToken cancellationToken) =>
        OpenAsync(HttpMethod.Get, Events(sandbox, run, after), null, cancellationToken);

    /// <summary>Opens a stream of events.</summary>
    internal async Task<EventLines> OpenAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        // Once only: whoever reads a stream takes it up again where it was.
        using var request = Request(method, path, content);
        var response = await SendOnceAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        try
        {
            return new EventLines(response, await response.Content.ReadAsStreamAsync(cancellationToken));
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private static string Of(SandboxId sandbox, RunId run) => Of(sandbox) + "/runs/" + Uri.EscapeDataString(run.Value);

    private static string Events(SandboxId sandbox, RunId run, long after) => Of(sandbox, run) + $"/events?after={after}";
}
