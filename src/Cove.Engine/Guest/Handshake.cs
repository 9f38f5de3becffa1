using System.Text.Json;
using Cove.Engine.Isolation;

namespace Cove.Engine.Guest;

/// <summary>The first and only frame a kernel says on its control link.</summary>
internal static class Handshake
{
    /// <summary>How long a kernel has to say hello. Node on a busy machine needs a second; ten tell a slow host from a dead kernel.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Receives and checks <c>hello</c>. Throws <see cref="HandshakeException"/>.</summary>
    public static async Task<Greeting> ReceiveAsync(CellProcess process, Language language, TimeProvider time, CancellationToken cancellationToken)
    {
        var control = process.Control ?? throw new HandshakeException("The kernel was started without a control link.");
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            // WaitAsync: the limit holds even when a backend is slow to notice its token.
            var frame = await control.ReceiveAsync(both.Token).AsTask().WaitAsync(both.Token);
            frame?.Descriptor?.Dispose();
            return frame is { Descriptor: null } hello
                ? Decode(hello.Body.Span, language)
                : throw new HandshakeException("The kernel ended before it said hello.");
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HandshakeException($"The kernel did not say hello within {Limit.TotalSeconds:0} s.");
        }
        catch (FrameException exception)
        {
            throw new HandshakeException("The kernel's first frame is malformed: " + exception.Message);
        }
    }

    /// <summary>Checks the body of a <c>hello</c>.</summary>
    public static Greeting Decode(ReadOnlySpan<byte> body, Language language)
    {
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = Frames.MaxDepth });
            var fields = new HelloFields();
            StrictJson.ReadObject(ref reader, ref fields, ReadField);
            StrictJson.ExpectEnd(ref reader);
            return Check(fields, language);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new HandshakeException("The kernel's hello is no valid JSON of the right shape.");
        }
    }

    private static Greeting Check(HelloFields fields, Language language)
    {
        var expected = KernelLanguages.Name(language);
        return fields switch
        {
            { Type: not "hello" } => throw new HandshakeException("The kernel's first frame is not a hello."),
            { Generation: < 1 or > Frames.Generation } => throw new HandshakeException($"The kernel speaks generation {fields.Generation}; this engine speaks 1 to {Frames.Generation}."),
            { Version: null or { Length: > 64 } } => throw new HandshakeException("The kernel's version is missing or too long."),
            _ when fields.Language != expected => throw new HandshakeException($"The kernel is not a {expected} kernel."),
            _ => new Greeting(fields.Version, fields.Generation),
        };
    }

    private static bool ReadField(ref Utf8JsonReader reader, ref HelloFields fields, scoped ReadOnlySpan<char> name)
    {
        switch (name)
        {
            case "t": fields.Type = StrictJson.String(ref reader, 64); return true;
            case "generation": fields.Generation = StrictJson.Int32(ref reader); return true;
            case "language": fields.Language = StrictJson.String(ref reader, 64); return true;
            case "version": fields.Version = StrictJson.String(ref reader, 64); return true;
            default: return false;
        }
    }

    private struct HelloFields
    {
        public string? Type;
        public int Generation;
        public string? Language;
        public string? Version;
    }
}

/// <summary>What a kernel says of itself: its interpreter's version, and the generation of the protocol it speaks.</summary>
internal sealed record Greeting(string Version, int Generation);

/// <summary>A kernel that could not be greeted.</summary>
internal sealed class HandshakeException(string message) : Exception(message);

/// <summary>The names languages have on the wire; also those of their default kernels.</summary>
internal static class KernelLanguages
{
    public static string Name(Language language) => language switch
    {
        Language.Python => "python",
        Language.Bash => "bash",
        _ => "javascript",
    };
}
