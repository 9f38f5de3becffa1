using System.Buffers;
using System.Text;
using Cove.Engine.Isolation;

namespace Cove.Engine.Runs;

/// <summary>
/// Carries one output stream of a run to its events: decoded incrementally, cut at the budget, the rest saved in the sandbox.
/// It reads on whatever happens, so that a guest is never stuck in a write because of a limit.
/// </summary>
internal sealed class OutputPump(OutputStream stream, ByteSource source, RunEvents events, OutputSpill spill, OutputPace pace, Action overLimit)
{
    /// <summary>Bytes of a stream that are shown.</summary>
    public const long ShownBytes = 1L << 20;

    /// <summary>Bytes of a stream after which the run is interrupted.</summary>
    public const long LimitBytes = 64L << 20;

    // A pipe holds at most 1 MiB; more than twice that in a drain comes from a process that outlived the run and is still writing.
    private const int MaxDrainBytes = 2 << 20;
    private const int PieceBytes = 64 << 10;

    private readonly Decoder _decoder = new UTF8Encoding(false, throwOnInvalidBytes: false).GetDecoder();
    private readonly string _name = stream == OutputStream.Stdout ? "stdout" : "stderr";
    private bool _cutReported;
    private bool _limitReported;

    /// <summary>All bytes that came, also those that were cut.</summary>
    public long TotalBytes { get; private set; }

    public bool IsCut => TotalBytes > ShownBytes;

    /// <summary>Takes what is there, while all of it is shown: then nothing is waited for.</summary>
    public void TakeWaiting()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        while (TotalBytes <= ShownBytes - PieceBytes && source.TryRead(buffer.AsSpan(0, PieceBytes)) is > 0 and var count)
        {
            TotalBytes += count;
            Show(buffer.AsSpan(0, count));
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Pumps until the end of the stream, or until <paramref name="endOfRun"/> and nothing more is there.</summary>
    public async Task RunAsync(CancellationToken endOfRun)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            await PumpAsync(buffer, endOfRun);
            await FinishAsync();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task PumpAsync(byte[] buffer, CancellationToken endOfRun)
    {
        try
        {
            while (!endOfRun.IsCancellationRequested)
            {
                var count = await source.ReadAsync(buffer.AsMemory(0, PieceBytes), endOfRun);
                if (count <= 0)
                {
                    return;
                }

                await AcceptAsync(buffer.AsMemory(0, count));
                await pace.AfterAsync(count, endOfRun);
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over: what it flushed before is in the pipe and belongs to it.
        }
        catch (IOException)
        {
            return; // a channel that broke has said all it will
        }

        await DrainAsync(buffer);
    }

    private async Task DrainAsync(byte[] buffer)
    {
        for (var drained = 0; drained < MaxDrainBytes;)
        {
            var count = source.TryRead(buffer.AsSpan(0, PieceBytes));
            if (count <= 0)
            {
                return;
            }

            drained += count;
            await AcceptAsync(buffer.AsMemory(0, count));
        }
    }

    private async ValueTask AcceptAsync(ReadOnlyMemory<byte> bytes)
    {
        var room = Math.Max(0, ShownBytes - TotalBytes);
        var shown = (int)Math.Min(room, bytes.Length);
        TotalBytes += bytes.Length;
        if (shown > 0)
        {
            Show(bytes.Span[..shown]);
        }

        if (shown == bytes.Length)
        {
            return;
        }

        if (!_cutReported)
        {
            _cutReported = true;
            events.Notice(
                "output_cut",
                $"{_name} passed {ShownBytes:N0} bytes; they are shown, what follows is not. The run goes on; the rest is saved to {spill.Path} (at most {OutputSpill.MaxBytes >> 20} MiB).");
        }

        if (TotalBytes > LimitBytes && !_limitReported)
        {
            _limitReported = true;
            overLimit();
        }

        await spill.WriteAsync(bytes[shown..]);
    }

    private void Show(ReadOnlySpan<byte> bytes)
    {
        var chars = ArrayPool<char>.Shared.Rent(bytes.Length + 4);
        var count = _decoder.GetChars(bytes, chars, flush: false);
        if (count > 0)
        {
            events.Output(stream, new string(chars, 0, count));
        }

        ArrayPool<char>.Shared.Return(chars);
    }

    private async Task FinishAsync()
    {
        if (!IsCut)
        {
            // A sequence left unfinished by the guest is shown as U+FFFD; one that the cut left unfinished is no error of the guest's.
            var chars = new char[4];
            var count = _decoder.GetChars([], chars, flush: true);
            if (count > 0)
            {
                events.Output(stream, new string(chars, 0, count));
            }

            return;
        }

        var saved = await spill.FinishAsync();
        events.Notice("output_cut", $"{_name}: {TotalBytes:N0} bytes in all, the first {ShownBytes:N0} are shown, {TotalBytes - ShownBytes:N0} were cut. {saved}");
    }
}
