using System.Text;

namespace Cove.Tests.Support;

/// <summary>Somebody at a terminal: types, and reads until something was said.</summary>
public sealed class TerminalTalk(Terminal terminal) : IAsyncDisposable
{
    private readonly byte[] _buffer = new byte[64 << 10];
    private readonly StringBuilder _screen = new();
    private int _looked;

    public Terminal Terminal => terminal;

    /// <summary>All that was written to it so far.</summary>
    public string Screen => _screen.ToString();

    public static async Task<TerminalTalk> OpenAsync(ICove cove, SandboxId sandbox, TerminalRequest? request = null) =>
        new(await Hang.WatchAsync(cove.OpenTerminalAsync(sandbox, request ?? Plain)));

    /// <summary>A shell that says nothing of its own but its answers.</summary>
    public static TerminalRequest Plain { get; } = new() { Argv = ["/bin/bash", "--norc", "--noprofile"], Environment = new Dictionary<string, string> { ["PS1"] = "" } };

    public Task TypeAsync(string text) => Hang.WatchAsync(terminal.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask());

    /// <summary>Reads until the text comes, after what was waited for last; fails when the terminal ends before.</summary>
    public async Task SeesAsync(string text)
    {
        while (true)
        {
            var at = Screen.IndexOf(text, _looked, StringComparison.Ordinal);
            if (at >= 0)
            {
                _looked = at + text.Length;
                return;
            }

            if (!await ReadAsync())
            {
                throw new InvalidOperationException($"The terminal ended and never said '{text}': {Screen}");
            }
        }
    }

    /// <summary>Reads to the end, and returns the exit code.</summary>
    public async Task<int?> EndAsync()
    {
        while (await ReadAsync())
        {
        }

        return await Hang.WatchAsync(terminal.ExitCode);
    }

    public ValueTask DisposeAsync() => new(Hang.WatchAsync(terminal.DisposeAsync().AsTask()));

    private async Task<bool> ReadAsync()
    {
        var count = await Hang.WatchAsync(terminal.ReadAsync(_buffer).AsTask());
        _screen.Append(Encoding.UTF8.GetString(_buffer, 0, count));
        return count > 0;
    }
}
