using System.Buffers;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Logs;

/// <summary>
/// Writes log lines from a task of its own: a request that says something never waits for whoever reads the log. When the reader falls far behind,
/// lines are dropped, and the log says how many.
/// </summary>
internal sealed class ServerLog : ILoggerProvider, IAsyncDisposable
{
    /// <summary>Lines that may wait for the reader.</summary>
    internal const int Room = 4096;

    /// <summary>How long the last lines may take to be written at the end.</summary>
    private static readonly TimeSpan LastLines = TimeSpan.FromSeconds(2);

    /// <summary>How long the writer waits for more lines before it writes the first: each request has one, and to wake a thread for each would cost the requests time.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    /// <summary>Bytes that are written in one go.</summary>
    private const int BlockBytes = 64 << 10;

    private readonly Channel<byte[]> _lines;
    private readonly CancellationTokenSource _ending = new();
    private readonly Stream _output;
    private readonly ILogFormat _format;
    private readonly LogLevel _least;
    private readonly TimeProvider _time;
    private readonly Task _writing;
    private long _dropped;

    public ServerLog(Stream output, ILogFormat format, LogLevel least, TimeProvider time)
    {
        (_output, _format, _least, _time) = (output, format, least, time);
        _lines = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(Room) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite }, _ => Interlocked.Increment(ref _dropped));
        _writing = Task.Run(WriteAsync);
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <summary>Writes what is still to be written, for a moment.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        try
        {
            await _writing.WaitAsync(LastLines, _time);
        }
        catch (TimeoutException)
        {
            // Nobody reads the log; the process must end all the same.
        }
    }

    public void Dispose()
    {
        _lines.Writer.TryComplete();
        _ = _ending.CancelAsync(); // (not on this thread: what it sets free is the writer)
    }

    private async Task WriteAsync()
    {
        var block = new ArrayBufferWriter<byte>();
        try
        {
            while (await _lines.Reader.WaitToReadAsync())
            {
                // By the machine's own clock: nothing is decided by it.
                await Task.Delay(Gathering, TimeProvider.System, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                while (_lines.Reader.TryRead(out var line))
                {
                    block.Write(line);
                    if (block.WrittenCount >= BlockBytes || !_lines.Reader.TryPeek(out _))
                    {
                        await _output.WriteAsync(block.WrittenMemory);
                        block.ResetWrittenCount();
                        await NoteDroppedAsync();
                    }
                }

                await _output.FlushAsync();
            }
        }
        catch (IOException)
        {
            // Whoever read the log is gone. The server goes on; what is said from now on is dropped.
            _lines.Writer.TryComplete();
        }
    }

    private async Task NoteDroppedAsync()
    {
        if (Volatile.Read(ref _dropped) > 0 && _lines.Reader.Count < Room / 2)
        {
            var dropped = Interlocked.Exchange(ref _dropped, 0);
            await _output.WriteAsync(_format.Format(new LogLine(_time.GetUtcNow(), LogLevel.Warning, "Cove.Server.Logs", default, $"{dropped} log lines were dropped: the log is read too slowly", null)));
        }
    }

    private sealed class Logger(ServerLog log, string category) : ILogger
    {
        /// <summary>Ours from the chosen level on; the web server's only when something is wrong.</summary>
        private readonly LogLevel _least = category.StartsWith("Cove.", StringComparison.Ordinal) ? log._least
            : category == "Microsoft.AspNetCore.Hosting.Diagnostics" ? LogLevel.None // what it says of requests is said better by us, and asking it costs a span a request
            : log._least > LogLevel.Warning ? log._least : LogLevel.Warning;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= _least && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log._lines.Writer.TryWrite(log._format.Format(new LogLine(log._time.GetUtcNow(), logLevel, category, eventId, formatter(state, exception), exception)));
            }
        }
    }
}
