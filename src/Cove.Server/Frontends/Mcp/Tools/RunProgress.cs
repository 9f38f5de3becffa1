using System.Text;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>Tells a host what a long run writes, while it does. A run that ends within half a second is not talked about.</summary>
internal sealed class RunProgress : IAsyncDisposable
{
    private const int MostCharacters = 1000;

    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _silence = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _ended = new();
    private readonly StringBuilder _said = new();
    private readonly Lock _lock = new();
    private readonly Task _telling;

    public RunProgress(Func<ProgressNote, Task>? tell, TimeProvider time) => _telling = tell is null ? Task.CompletedTask : TellAsync(tell, time);

    public void Add(RunEvent next)
    {
        if (next is RunOutput { Text: var text } && !_telling.IsCompleted)
        {
            lock (_lock)
            {
                _said.Append(text.Length > MostCharacters ? text.AsSpan(text.Length - MostCharacters) : text);
                if (_said.Length > 2 * MostCharacters)
                {
                    _said.Remove(0, _said.Length - MostCharacters);
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _telling;
        _ended.Dispose();
    }

    private async Task TellAsync(Func<ProgressNote, Task> tell, TimeProvider time)
    {
        var (started, told) = (time.GetTimestamp(), TimeSpan.Zero);
        using var timer = new PeriodicTimer(_pause, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_ended.Token))
            {
                var (elapsed, said) = (time.GetElapsedTime(started), Take());
                if (said.Length > 0 || elapsed - told >= _silence)
                {
                    told = elapsed;
                    await tell(new ProgressNote(elapsed, said.Length > 0 ? said : FormattableString.Invariant($"Still running after {elapsed.TotalSeconds:0} s.")));
                }
            }
        }
        catch (Exception)
        {
            // The run has ended, or nobody listens any more; the run itself is told of that another way.
        }
    }

    private string Take()
    {
        lock (_lock)
        {
            var text = _said.Length > MostCharacters ? _said.ToString(_said.Length - MostCharacters, MostCharacters) : _said.ToString();
            _said.Clear();
            return text;
        }
    }
}
