using System.Text;

namespace Cove.Tests.Support;

/// <summary>A run in progress: what it said so far can be waited for.</summary>
public sealed class LiveRun
{
    private readonly Lock _lock = new();
    private readonly StringBuilder _stdout = new();
    private readonly List<(string Text, TaskCompletionSource Heard)> _listeners = [];
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Finished? _finished;

    public LiveRun(ICove cove, SandboxId sandbox, RunRequest request, CancellationToken cancellationToken = default)
    {
        Id = request.Id ?? RunId.New();
        Completion = Hang.WatchAsync(ReadAsync(cove.RunAsync(sandbox, request with { Id = Id }, cancellationToken)));
    }

    public RunId Id { get; }

    public Task<Finished> Completion { get; }

    /// <summary>Completes when the run was accepted, or refused.</summary>
    public Task Started => Hang.WatchAsync(_started.Task);

    /// <summary>Completes when standard output holds the text; fails when the run ended without it.</summary>
    public Task SaidAsync(string text)
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _listeners.Add((text, heard));
            Tell_NeedsLock();
        }

        return Hang.WatchAsync(heard.Task);
    }

    private async Task<Finished> ReadAsync(IAsyncEnumerable<RunEvent> events)
    {
        var all = new List<RunEvent>();
        await foreach (var next in events)
        {
            all.Add(next);
            _started.TrySetResult();
            if (next is RunOutput { Stream: OutputStream.Stdout } output)
            {
                lock (_lock)
                {
                    _stdout.Append(output.Text);
                    Tell_NeedsLock();
                }
            }
        }

        lock (_lock)
        {
            _finished = Finished.Checked(all);
            Tell_NeedsLock();
            return _finished;
        }
    }

    private void Tell_NeedsLock()
    {
        if (_listeners.Count == 0)
        {
            return;
        }

        var said = _stdout.ToString();
        foreach (var (text, heard) in _listeners)
        {
            if (said.Contains(text, StringComparison.Ordinal))
            {
                heard.TrySetResult();
            }
            else if (_finished is not null)
            {
                heard.TrySetException(new InvalidOperationException($"The run ended and never said '{text}': {_finished}"));
            }
        }
    }
}
