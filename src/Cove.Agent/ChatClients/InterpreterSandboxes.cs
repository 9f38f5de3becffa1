namespace Cove.Agent.ChatClients;

/// <summary>The sandboxes of one client, made when they are needed and ended when nobody can ask for them any more.</summary>
internal sealed class InterpreterSandboxes(ICove cove, CodeInterpreterOptions options) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<string, Entry> _kept = new(StringComparer.Ordinal);
    private long _turn;
    private bool _disposed;

    /// <summary>The sandbox for a request; to be given back.</summary>
    public async Task<InterpreterSandbox> TakeAsync(string? conversation, CancellationToken cancellationToken)
    {
        if (options.Scope == CodeInterpreterScope.Request)
        {
            return await MakeAsync(renewed: false, cancellationToken);
        }

        var key = Key(conversation);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(CodeInterpreterChatClient));
            var known = _kept.GetValueOrDefault(key);
            if (known is null || !await LivesAsync(known.Sandbox.Id, cancellationToken))
            {
                known?.Sandbox.Dispose();
                known = _kept[key] = new Entry(await MakeAsync(renewed: known is not null, cancellationToken)) { Users = known?.Users ?? 0 };
                await MakeRoomAsync(known);
            }

            known.Users++;
            known.LastTurn = ++_turn;
            return known.Sandbox;
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask GiveBackAsync(InterpreterSandbox sandbox)
    {
        if (options.Scope == CodeInterpreterScope.Request)
        {
            await EndAsync(sandbox);
            return;
        }

        await _gate.WaitAsync();
        try
        {
            if (_kept.Values.FirstOrDefault(entry => entry.Sandbox == sandbox) is { } entry)
            {
                entry.Users--;
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The sandbox of a conversation; null when there is none (yet, or any more).</summary>
    public async Task<SandboxId?> FindAsync(string? conversation, CancellationToken cancellationToken)
    {
        if (options.Scope == CodeInterpreterScope.Request)
        {
            return null;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            return _kept.GetValueOrDefault(Key(conversation))?.Sandbox.Id;
        }
        finally
        {
            _gate.Release();
        }
    }

    public async Task CloseAsync(string? conversation, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_kept.Remove(Key(conversation), out var entry))
            {
                await EndAsync(entry.Sandbox);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _gate.WaitAsync();
        try
        {
            _disposed = true;
            await Task.WhenAll(_kept.Values.Select(entry => EndAsync(entry.Sandbox)));
            _kept.Clear();
        }
        finally
        {
            _gate.Release();
        }
    }

    private string Key(string? conversation) => options.Scope == CodeInterpreterScope.Client ? ""
        : conversation ?? throw new InvalidOperationException("ChatOptions.ConversationId is null, and the sandboxes are one to a conversation. Set it, or take CodeInterpreterScope.Client or Request.");

    private async Task<InterpreterSandbox> MakeAsync(bool renewed, CancellationToken cancellationToken)
    {
        var info = await cove.CreateSandboxAsync(options.Sandbox, cancellationToken);
        return new InterpreterSandbox(cove, info.Id, options.Tools) { Renewed = renewed };
    }

    private async Task<bool> LivesAsync(SandboxId sandbox, CancellationToken cancellationToken)
    {
        try
        {
            var info = await cove.GetSandboxAsync(sandbox, cancellationToken);
            return info.State is not (SandboxState.Ending or SandboxState.Ended);
        }
        catch (CoveException gone) when (gone.Error.Category == ErrorCategory.NotFound)
        {
            return false;
        }
    }

    /// <summary>Ends the one unused for longest when there are more than may be kept; one in use is never ended.</summary>
    private async Task MakeRoomAsync(Entry newest)
    {
        while (_kept.Count > options.MaxConversations
            && _kept.Where(k => k.Value.Users == 0 && k.Value != newest).OrderBy(k => k.Value.LastTurn).FirstOrDefault() is { Key: { } key, Value: { } oldest })
        {
            _kept.Remove(key);
            await EndAsync(oldest.Sandbox);
        }
    }

    private async Task EndAsync(InterpreterSandbox sandbox)
    {
        try
        {
            await cove.DeleteSandboxAsync(sandbox.Id, CancellationToken.None);
        }
        catch (CoveException)
        {
            // It ended already, or the server can't be reached: then its idle time ends it.
        }

        sandbox.Dispose();
    }

    private sealed class Entry(InterpreterSandbox sandbox)
    {
        public InterpreterSandbox Sandbox => sandbox;

        public int Users { get; set; }

        public long LastTurn { get; set; }
    }
}
