using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Cove.Engine.Isolation;

namespace Cove.Tests.Support;

/// <summary>A kernel process that speaks the protocol's real bytes and does with each run what the test's script says.</summary>
internal sealed class FakeKernel : CellProcess
{
    private readonly FakeCell _cell;
    private readonly TaskCompletionSource<ProcessExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FakeControl _control;

    public FakeKernel(FakeCell cell, Language language)
    {
        _cell = cell;
        Language = language;
        _control = new FakeControl(this);
        if (cell.Hello is { } hello)
        {
            _control.Say(hello(language));
        }
    }

    public FakeCell Cell => _cell;

    public Language Language { get; }

    public override IFrameLink? Control => _control;

    public override Task<ProcessExit> Exited => _exited.Task;

    public List<JsonElement> Configurations { get; } = [];

    public int Interrupts { get; private set; }

    public int Kills { get; private set; }

    public GuestRun? Current { get; private set; }

    public JsonElement LastFrame { get; private set; }

    public void Exit(int? code, int? signal) => Exit(new ProcessExit(code, signal));

    public void Exit(ProcessExit exit)
    {
        if (_exited.TrySetResult(exit))
        {
            _control.HangUp();
            Current?.CloseAll();
        }
    }

    public void Signal(CellSignal signal)
    {
        switch (signal)
        {
            case CellSignal.Interrupt:
                Interrupts++;
                Current?.Interrupt();
                break;
            case CellSignal.KillTree:
                Kills++;
                if (!_cell.IgnoresKill)
                {
                    Exit(null, 9);
                }

                break;
        }
    }

    private void Hear(JsonElement frame, FakeChannels? channels)
    {
        LastFrame = frame;
        switch (frame.GetProperty("t").GetString())
        {
            case "configure":
                Configurations.Add(frame);
                _cell.Configured?.Invoke(this);
                break;
            case "execute" when _cell.DeathsBeforeRuns.TryDequeue(out var death):
                new GuestRun(this, "", "", channels!).CloseAll();
                Exit(death with { LeftUnread = true });
                break;
            case "execute":
                Current = new GuestRun(this, frame.GetProperty("run").GetString()!, frame.GetProperty("code").GetString()!, channels!);
                _ = ExecuteAsync(Current);
                break;
        }
    }

    private async Task ExecuteAsync(GuestRun run)
    {
        if (!_cell.AnswersAtOnce)
        {
            await Task.Yield();
        }

        await _cell.OnExecute(run);
    }

    private sealed class FakeControl(FakeKernel kernel) : IFrameLink
    {
        private readonly Channel<byte[]> _said = Channel.CreateUnbounded<byte[]>();

        public void Say(string json) => _said.Writer.TryWrite(Encoding.UTF8.GetBytes(json));

        public void HangUp() => _said.Writer.TryComplete();

        public ValueTask SendAsync(ReadOnlyMemory<byte> body, RunChannels? channels, CancellationToken cancellationToken)
        {
            kernel._cell.BeforeSend?.Invoke(kernel);
            if (kernel.Exited.IsCompleted || kernel._cell.ControlClosed)
            {
                throw new CellGoneException("The kernel's control link is closed.");
            }

            using var document = JsonDocument.Parse(body);
            kernel.Hear(document.RootElement.Clone(), (FakeChannels?)channels);
            return default;
        }

        public async ValueTask<ReceivedFrame?> ReceiveAsync(CancellationToken cancellationToken) =>
            await _said.Reader.WaitToReadAsync(cancellationToken) && _said.Reader.TryRead(out var body) ? new ReceivedFrame(body, null) : null;

        public void Dispose() => _said.Writer.TryComplete();
    }
}

/// <summary>The three pipes of one run, and the fourth.</summary>
internal sealed class FakeChannels(bool host) : RunChannels
{
    public MemoryPipe Out { get; } = new();

    public MemoryPipe Err { get; } = new();

    public MemoryPipe Results { get; } = new();

    /// <summary>What the host says, for the guest to read.</summary>
    public MemoryPipe Answers { get; } = new();

    /// <summary>How long the host takes to notice, after each write, that the guest was given what it wrote; may fail.</summary>
    public Func<Task> HostNotices { get; set; } = () => Task.CompletedTask;

    public override ByteSink? Host => host ? field ??= new MemorySink(Answers, () => HostNotices()) : null;

    public override ByteSource Stdout => Out;

    public override ByteSource Stderr => Err;

    public override ByteSource Result => Results;

    /// <summary>Called when the host closes them.</summary>
    public Action? Closing { get; set; }

    public override void Dispose()
    {
        Closing?.Invoke();
        Out.Dispose();
        Err.Dispose();
        Results.Dispose();
        Answers.Dispose();
    }
}

/// <summary>One run as its kernel sees it.</summary>
internal sealed class GuestRun(FakeKernel kernel, string nonce, string code, FakeChannels channels)
{
    private readonly TaskCompletionSource _interrupted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeKernel Kernel => kernel;

    public string Code => code;

    public string Nonce => nonce;

    public FakeChannels Channels => channels;

    /// <summary>Completes at the first interrupt.</summary>
    public Task Interrupted => _interrupted.Task;

    public void Interrupt() => _interrupted.TrySetResult();

    public async Task PrintAsync(string text) => await channels.Out.WriteAsync(Encoding.UTF8.GetBytes(text));

    public async Task PrintErrorAsync(string text) => await channels.Err.WriteAsync(Encoding.UTF8.GetBytes(text));

    public Task DoneAsync() => SendAsync($$"""{"t":"done","run":"{{nonce}}","status":"ok"}""");

    public Task FailAsync(string name, string value) => SendAsync(
        $$"""{"t":"done","run":"{{nonce}}","status":"error","error":{"name":"{{name}}","value":"{{value}}","traceback":"Traceback: {{name}}"} }""");

    public Task SayInterruptedAsync() => SendAsync(
        $$"""{"t":"done","run":"{{nonce}}","status":"interrupted","error":{"name":"KeyboardInterrupt","value":"","traceback":""} }""");

    /// <summary>Goes on until it is interrupted, and says so.</summary>
    public async Task HeedAsync()
    {
        await Interrupted;
        await SayInterruptedAsync();
    }

    /// <summary>Calls a tool, as its kernel or as somebody who forges.</summary>
    public Task CallAsync(int call, string name, string arguments = "{}", string? forged = null) => SendAsync(
        $$"""{"t":"host_call","run":"{{forged ?? nonce}}","call":{{call}},"name":"{{name}}","arguments":{{JsonSerializer.Serialize(arguments)}}}""");

    /// <summary>The next frame of the host's.</summary>
    public async Task<JsonElement> HearAsync()
    {
        var prefix = await ExactlyAsync(4);
        return JsonDocument.Parse(await ExactlyAsync(BinaryPrimitives.ReadInt32BigEndian(prefix))).RootElement;
    }

    private async Task<byte[]> ExactlyAsync(int count)
    {
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            var more = await channels.Answers.ReadAsync(bytes.AsMemory(read), CancellationToken.None);
            read += more > 0 ? more : throw new EndOfStreamException("The host said no more.");
        }

        return bytes;
    }

    public Task SendAsync(string json)
    {
        var body = Encoding.UTF8.GetBytes(json);
        var frame = new byte[body.Length + 4];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.Length);
        body.CopyTo(frame, 4);
        return SendRawAsync(frame);
    }

    public async Task SendRawAsync(byte[] bytes) => await channels.Results.WriteAsync(bytes);

    public void CloseAll()
    {
        channels.Out.CloseWriter();
        channels.Err.CloseWriter();
        channels.Results.CloseWriter();
    }
}
