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
    public Task<RunInfo> StartRunAsync(SandboxId sandbox, RunRequest request, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");

    /// <inheritdoc/>
    public IAsyncEnumerable<RunEvent> ReadRunAsync(SandboxId sandbox, RunId run, long after = 0, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");

    /// <inheritdoc/>
    public Task<RunInfo> GetRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");

    /// <inheritdoc/>
    public Task<IReadOnlyList<RunInfo>> ListRunsAsync(SandboxId sandbox, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");

    /// <inheritdoc/>
    public Task WriteStdinAsync(SandboxId sandbox, RunId run, ReadOnlyMemory<byte> input, bool close = false, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");

    /// <inheritdoc/>
    public Task InterruptRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Post, Of(sandbox, run) + "/interrupt", null, cancellationToken);

    /// <inheritdoc/>
    public Task KillRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Post, Of(sandbox, run) + "/kill", null, cancellationToken);

    /// <summary>Sends a run; the answer's events are still to be read.</summary>
    internal Task<HttpResponseMessage> OpenRunAsync(SandboxId sandbox, RunRequest request, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, Of(sandbox) + "/runs", Body(request, CoveJson.Wire.RunRequest), HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    private static string Of(SandboxId sandbox, RunId run) => Of(sandbox) + "/runs/" + Uri.EscapeDataString(run.Value);
}
