namespace Cove.Tests.Support;

/// <summary>A terminal in which a test's own program runs: what is typed and what is shown are pipes of 64 KiB.</summary>
internal sealed class FakeTerminal(TerminalRequest request) : Terminal
{
    private readonly MemoryPipe _shown = new();
    private readonly MemoryPipe _typed = new();
    private readonly TaskCompletionSource<int?> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TerminalRequest Request => request;

    public (int Columns, int Rows) Size { get; private set; } = (request.Columns ?? 80, request.Rows ?? 24);

    public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task<int?> ExitCode => _exit.Task;

    /// <summary>Bytes shown to whoever sits at it; completes when they fit.</summary>
    public ValueTask<bool> ShowAsync(ReadOnlyMemory<byte> bytes) => _shown.WriteAsync(bytes);

    /// <summary>What was typed.</summary>
    public async Task<byte[]> TypedAsync(int count)
    {
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            read += await Hang.WatchAsync(_typed.ReadAsync(bytes.AsMemory(read), CancellationToken.None).AsTask());
        }

        return bytes;
    }

    public void End(int? code)
    {
        _shown.CloseWriter();
        _exit.TrySetResult(code);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _shown.ReadAsync(buffer, cancellationToken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> input, CancellationToken cancellationToken = default) =>
        await _typed.WriteAsync(input).AsTask().WaitAsync(cancellationToken);

    public override ValueTask ResizeAsync(int columns, int rows, CancellationToken cancellationToken = default)
    {
        Size = (columns, rows);
        return ValueTask.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        End(137);
        Disposed.TrySetResult();
        return ValueTask.CompletedTask;
    }
}
