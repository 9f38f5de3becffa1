using System.Text.Json.Serialization;

namespace Cove;

/// <summary>Asks for an interactive terminal: a command with a terminal of its own as its standard input, output and error.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record TerminalRequest
{
    /// <summary>The command. Default: <c>/bin/bash -l</c>.</summary>
    public IReadOnlyList<string>? Argv { get; init; }

    /// <summary>Its working directory. Default <c>/workspace</c>.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Environment variables added; <c>TERM</c> is <c>xterm-256color</c> unless given.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>Columns. Default 80; 1 to 1,000.</summary>
    public int? Columns { get; init; }

    /// <summary>Rows. Default 24; 1 to 1,000.</summary>
    public int? Rows { get; init; }
}

/// <summary>An open terminal. Disposing it hangs up: everything that runs in it is killed.</summary>
public abstract class Terminal : IAsyncDisposable
{
    /// <summary>Reads what was written to the terminal, as raw bytes; 0 when it has ended.</summary>
    public abstract ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    /// <summary>Types into the terminal.</summary>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> input, CancellationToken cancellationToken = default);

    /// <summary>Changes the size. Columns and rows: 1 to 1,000.</summary>
    public abstract ValueTask ResizeAsync(int columns, int rows, CancellationToken cancellationToken = default);

    /// <summary>The exit code of the command, 128 plus the signal when one ended it; null when nobody could see it. Completes when it ended.</summary>
    public abstract Task<int?> ExitCode { get; }

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
