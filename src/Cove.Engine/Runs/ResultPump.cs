using Cove.Engine.Guest;
using Cove.Engine.Isolation;

namespace Cove.Engine.Runs;

/// <summary>
/// Reads the result channel of one run. It never waits for the caller, so that <c>done</c> is seen the moment it comes; the
/// decoder's budgets bound what that can pile up.
/// </summary>
internal sealed class ResultPump(ByteSource source, string nonce, Run run) : IDisposable
{
    private const string StateLostNotice = "state_lost";

    private readonly ResultDecoder _decoder = new(nonce);
    private readonly RunEvents _events = run.Events;
    private readonly RunStop _stop = run.Stop;
    private readonly FrameBuffer _buffer = new();
    private bool _isOver;
    private volatile bool _isReading;

    /// <summary>What the kernel said at its end; null while it has not, and for ever when the channel ended without.</summary>
    public ResultMessage.Done? Done { get; private set; }

    /// <summary>Whether the channel ended in the middle of a frame: a death, or, when nobody died, a lie.</summary>
    public bool EndedInFrame { get; private set; }

    /// <summary>Whether the kernel said that its interpreter ended and took the variables along (behind a shim the process itself lives on).</summary>
    public bool SaidStateLost { get; private set; }

    /// <summary>
    /// Gives a run that has just been set going the moment that a short one takes, and reads what came. It is understood by
    /// <see cref="Interpret"/>: what was printed before is to be told before.
    /// </summary>
    public void WaitBriefly()
    {
        source.WaitBriefly();
        _buffer.Advance(Math.Max(0, source.TryRead(_buffer.Free().Span)));
    }

    /// <summary>Does what the frames say that came whole.</summary>
    public void Interpret()
    {
        try
        {
            _isOver = !InterpretFrames();
        }
        catch (FrameException exception)
        {
            _isOver = true;
            _stop.RequestForViolation(exception.Message);
        }
    }

    /// <summary>Completes with <c>done</c>, a violation, the end of the channel, or the end of the run.</summary>
    public async Task RunAsync(CancellationToken endOfRun)
    {
        _isReading = true;
        try
        {
            while (!_isOver)
            {
                var count = await source.ReadAsync(_buffer.Free(), endOfRun);
                if (count <= 0)
                {
                    EndedInFrame = _buffer.HasPartial;
                    return;
                }

                _buffer.Advance(count);
                Interpret();
            }
        }
        catch (OperationCanceledException)
        {
            ReadNow();
        }
        catch (IOException)
        {
            // A broken channel is an ended one.
        }
        finally
        {
            _isReading = false;
            _buffer.Dispose();
        }
    }

    /// <summary>Gives the buffer back, unless a backend that heeds neither its token nor the closing of the channel may still write to it.</summary>
    public void Dispose()
    {
        if (!_isReading)
        {
            _buffer.Dispose();
        }
    }

    /// <summary>Reads what is there, such as a process that just died had said; at most one frame more than a pipe holds.</summary>
    private void ReadNow()
    {
        for (var read = 0; read <= FrameBuffer.MaxCapacity && !_isOver;)
        {
            var count = source.TryRead(_buffer.Free().Span);
            if (count <= 0)
            {
                return;
            }

            read += count;
            _buffer.Advance(count);
            Interpret();
        }
    }

    /// <summary>False when nothing further is to be read.</summary>
    private bool InterpretFrames()
    {
        while (_buffer.TryRead(out var body))
        {
            switch (_decoder.Decode(body))
            {
                case ResultMessage.Display display:
                    _events.Display(display.IsResult, display.Data);
                    break;
                case ResultMessage.Notice notice:
                    SaidStateLost |= notice.Code == StateLostNotice;
                    _events.Notice(notice.Code, notice.Message);
                    break;
                case ResultMessage.Flood:
                    _stop.Request(StopReason.OutputLimit);
                    break;
                case ResultMessage.HostCall call when (run.Tools is { } tools ? tools.Take(call.Call, call.Name, call.Arguments) : "a tool call in a run without tools") is { } fault:
                    _stop.RequestForViolation(fault);
                    return false;
                case ResultMessage.Done done:
                    Done = done;
                    return false;
                case ResultMessage.Violation violation:
                    _stop.RequestForViolation(violation.Reason);
                    return false;
            }
        }

        return true;
    }
}
